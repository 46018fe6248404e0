"""`python -m tests.bench.slow_twilio LATENCY`: takes every text after LATENCY seconds, over kept-open connections.

First line out: its URL. One thread and an event loop, so that hundreds of calls at once cost next to nothing.
`GET /count` answers how many texts it took, when the first and the last (Unix seconds), on how many connections.
"""

import asyncio
import json
import sys
import time

ANSWER = {
    "sid": "", "status": "queued", "account_sid": "AC" + "0" * 32, "to": "", "from": "", "body": "",
    "error_code": None, "error_message": None, "num_segments": "1", "direction": "outbound-api", "uri": "",
}  # fmt: skip


class SlowTwilio:
    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.taken: list[float] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-len")
                    ),
                    0,
                )
                await reader.readexactly(length)
                counting = head.startswith(b"GET /count")
                writer.write(self.count() if counting else await self.text())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def count(self) -> bytes:
        first, last = min(self.taken, default=0.0), max(self.taken, default=0.0)
        told = {"count": len(self.taken), "first": first, "last": last, "connections": self.connections}
        return answer(200, told)

    async def text(self) -> bytes:
        await asyncio.sleep(self.latency)
        self.taken.append(time.time())
        return answer(201, {**ANSWER, "sid": f"SM{len(self.taken):032x}"})


def answer(status: int, body: object) -> bytes:
    raw = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n"
    return head.encode() + raw


async def main(latency: float) -> None:
    twilio = SlowTwilio(latency)
    server = await asyncio.start_server(twilio.serve, "127.0.0.1", 0, backlog=256)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
