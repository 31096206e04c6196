// The ws client through the daemon; AIFD_URL says where it is.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import WebSocket from "ws";

const url = `${process.env.AIFD_URL.replace("http", "ws")}/v1/realtime`;

test("messages go both ways", async () => {
  const socket = new WebSocket(url, ["realtime"], { headers: { Authorization: "Bearer sk-own" } });
  await once(socket, "open");
  assert.equal(socket.protocol, "realtime");
  for (const message of ["hello", "x".repeat(300_000)]) {
    socket.send(message);
    const [data] = await once(socket, "message");
    assert.equal(data.toString(), message);
  }
  socket.close();
  await once(socket, "close");
});

test("compression is between the two ends", async () => {
  const socket = new WebSocket(url, { perMessageDeflate: true });
  await once(socket, "open");
  socket.send("a".repeat(100_000));
  const [data] = await once(socket, "message");
  assert.equal(data.toString(), "a".repeat(100_000));
  socket.close();
  await once(socket, "close");
});
