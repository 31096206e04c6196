// The official Node.js SDK through the daemon; AIFD_URL says where it is.
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import OpenAI, { toFile } from "openai";

const client = new OpenAI({ baseURL: `${process.env.AIFD_URL}/v1`, apiKey: "fk-mine", maxRetries: 0, timeout: 30_000 });
const model = "gpt-4o-mini";
const messages = [{ role: "user", content: "hi" }];
const text = "Hello! How can I assist you today? \u4f60\u597d \u{1f600}";
const speech = Buffer.concat(Array(1000).fill(Buffer.from(Array.from({ length: 256 }, (_, at) => at))));
const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object", properties: {} } } }];

test("chat", async () => {
  const answer = await client.chat.completions.create({ model, messages });
  assert.equal(answer.choices[0].message.content, text);
  assert.equal(answer._request_id, "req_from_upstream");
});

test("chat, streamed", async () => {
  let got = "";
  let pieces = 0;
  for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
    got += chunk.choices[0].delta.content ?? "";
    pieces += 1;
  }
  assert.equal(got, text);
  assert.ok(pieces > 20);
});

test("chat, aborted", async () => {
  const stream = await client.chat.completions.create({ model: "endless", messages, stream: true });
  let pieces = 0;
  for await (const chunk of stream) {
    assert.equal(chunk.choices[0].delta.content, "more ");
    pieces += 1;
    if (pieces === 3) stream.controller.abort();
  }
  assert.ok(pieces >= 3 && pieces < 1000); // what the SDK had already read may still come
});

test("chat, aborted while it waits", async () => {
  await assert.rejects(
    client.chat.completions.create({ model: "silent", messages }, { timeout: 500 }),
    OpenAI.APIConnectionTimeoutError,
  );
});

test("a cut stream is an error", async () => {
  await assert.rejects(async () => {
    for await (const chunk of await client.chat.completions.create({ model: "cut", messages, stream: true })) void chunk;
  });
});

test("tool calls", async () => {
  const answer = await client.chat.completions.create({ model, messages, tools });
  assert.equal(answer.choices[0].message.tool_calls[0].function.arguments, '{"city": "Berlin"}');
});

test("tool calls, streamed", async () => {
  let got = "";
  for await (const chunk of await client.chat.completions.create({ model, messages, tools, stream: true })) {
    for (const call of chunk.choices[0].delta.tool_calls ?? []) got += call.function.arguments ?? "";
  }
  assert.equal(got, '{"city": "Berlin"}');
});

test("embeddings", async () => {
  const answer = await client.embeddings.create({ model: "text-embedding-3-small", input: ["a", "b"] });
  assert.deepEqual(answer.data.map((item) => Array.from(item.embedding)), [[0.5, -0.25, 1], [0.5, -0.25, 1]]);
});

test("audio upload", async () => {
  const file = await toFile(speech, "a.wav");
  const answer = await client.audio.transcriptions.create({ model: "whisper-1", file });
  assert.equal(answer.text, `1 files of ${speech.length} bytes`);
});

test("audio upload from a stream", async () => {
  const file = await toFile(Readable.from([speech.subarray(0, 1000), speech.subarray(1000)]), "a.wav");
  const answer = await client.audio.transcriptions.create({ model: "whisper-1", file });
  assert.equal(answer.text, `1 files of ${speech.length} bytes`);
});

test("speech download", async () => {
  const answer = await client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "hi" });
  assert.ok(Buffer.from(await answer.arrayBuffer()).equals(speech));
});

test("file download", async () => {
  const answer = await client.files.content("file-1");
  assert.equal((await answer.arrayBuffer()).byteLength, 5000 * 14);
});

test("models", async () => {
  const ids = [];
  for await (const one of client.models.list()) ids.push(one.id);
  assert.deepEqual(ids, [model]);
});

test("responses", async () => {
  assert.equal((await client.responses.create({ model, input: "hi" })).output_text, text);
});

test("responses, streamed", async () => {
  let got = "";
  let last;
  for await (const event of await client.responses.create({ model, input: "hi", stream: true })) {
    if (event.type === "response.output_text.delta") got += event.delta;
    last = event.type;
  }
  assert.equal(got, text);
  assert.equal(last, "response.completed");
});

const types = {
  "error-400": OpenAI.BadRequestError, "error-401": OpenAI.AuthenticationError, "error-403": OpenAI.PermissionDeniedError,
  "error-404": OpenAI.NotFoundError, "error-409": OpenAI.ConflictError, "error-422": OpenAI.UnprocessableEntityError,
  "error-429": OpenAI.RateLimitError, "error-500": OpenAI.InternalServerError, "error-503": OpenAI.InternalServerError,
};

for (const [name, type] of Object.entries(types)) {
  test(`upstream ${name}`, async () => {
    await assert.rejects(client.chat.completions.create({ model: name, messages }), (error) => {
      assert.ok(error instanceof type);
      assert.equal(error.requestID, "req_from_upstream");
      assert.match(error.message, /the upstream says/);
      return true;
    });
  });
}

test("a wrong base URL is told", async () => {
  const wrong = new OpenAI({ baseURL: `${process.env.AIFD_URL}/v1/v1`, apiKey: "fk-mine", maxRetries: 0 });
  await assert.rejects(wrong.chat.completions.create({ model, messages }), (error) => {
    assert.ok(error instanceof OpenAI.NotFoundError);
    assert.ok(error.requestID);
    assert.match(error.message, /\/v1/);
    return true;
  });
});

test("the benchmark model", async () => {
  const benchmark = new OpenAI({ baseURL: `${process.env.AIFD_URL}/benchmark/v1`, apiKey: "sk-any", maxRetries: 0 });
  const whole = await benchmark.chat.completions.create({ model, messages });
  let got = "";
  for await (const chunk of await benchmark.chat.completions.create({ model, messages, stream: true })) {
    got += chunk.choices[0].delta.content ?? "";
  }
  assert.ok(got);
  assert.equal(got, whole.choices[0].message.content);
});
