"""A proxy that cuts connections in the middle of an answer."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: closing resets the connection


class CuttingProxy:
    """Listens on a free port of the loopback and passes all on to `target()`: a port there, or the path of a socket.

    After `cut()` the next answer breaks off in its middle.
    """

    def __init__(self, target: Callable[[], int | Path]) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cutting-proxy")
        self._waiting = 0  # cuts that are still to come
        self.cuts = 0
        self.port = 0

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """The next answer is cut in its middle, and both ends of its connection are reset."""
        self._loop.call_soon_threadsafe(self._arm)

    def _arm(self) -> None:
        self._waiting += 1

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            server, to_server = await self._connect()
        except OSError:
            to_client.close()
            return
        both = [
            asyncio.ensure_future(self._pass_on(client, to_server, cuts=False)),
            asyncio.ensure_future(self._pass_on(server, to_client, cuts=True)),
        ]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in both:
                one.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            for writer in (to_client, to_server):
                writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        target = self._target()
        if isinstance(target, Path):
            return await asyncio.open_unix_connection(target)
        return await asyncio.open_connection("127.0.0.1", target)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, cuts: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if cuts and self._waiting:
                    self._waiting -= 1
                    self.cuts += 1
                    writer.write(data[: len(data) // 2])
                    await writer.drain()
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                    return
                writer.write(data)
                await writer.drain()
