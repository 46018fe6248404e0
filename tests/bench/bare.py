"""What the receiver is measured against: a bare Flask route that verifies the HMAC and does one write to Redis."""

import hashlib
import hmac
import os

import redis
from flask import Flask, Response, request

app = Flask("bare", static_folder=None)
connection = redis.Redis.from_url(os.environ["REDIS_URL"])
SECRET = os.environ["BENCH_SECRET"].encode()


@app.post("/webhooks/zammad")
def webhook() -> Response:
    raw = request.get_data(cache=False)
    proof = "sha1=" + hmac.new(SECRET, raw, hashlib.sha1).hexdigest()
    if not hmac.compare_digest(proof, request.headers.get("X-Hub-Signature", "")):
        return Response(status=401)
    connection.hincrby("bare", "taken", 1)
    return Response(b'{"Success": 1}', status=202, content_type="application/json")
