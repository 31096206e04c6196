// The official Node.js SDK reads answers that aifd has turned from one form into the other; AIFD_URL says where it is.
import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.env.AIFD_URL}/v1`, apiKey: "sk-own", maxRetries: 0, timeout: 30_000 });
const usage = { stream_options: { include_usage: true } };
const forms = ["text", "tools", "choices", "logprobs", "refusal", "mixed", "function"];
let number = 0;

function question(model) {
  number += 1;
  return { model, messages: [{ role: "user", content: `question ${number}` }] };
}

// What a completion says, without the ways to say nothing.
function told(value) {
  if (Array.isArray(value)) return value.map(told);
  if (value === null || typeof value !== "object") return value;
  const kept = Object.entries(value)
    .filter(([name]) => !["parsed", "parsed_arguments", "_request_id"].includes(name))
    .map(([name, item]) => [name, told(item)])
    .filter(([, item]) => item !== null && item !== undefined && item !== "" && !(typeof item === "object" && !Object.keys(item).length));
  return Object.fromEntries(kept.sort(([one], [other]) => (one < other ? -1 : 1)));
}

async function cacheSays(request) {
  const { data, response } = await request.withResponse();
  return [data, response.headers.get("x-aifd-cache")];
}

for (const form of forms) {
  test(`${form}: a stream after an answer`, async () => {
    const asked = question(form);
    const [whole, first] = await cacheSays(client.chat.completions.create(asked));
    const final = await client.chat.completions.stream({ ...asked, ...usage }).finalChatCompletion();
    const [, again] = await cacheSays(client.chat.completions.create({ ...asked, stream: true }));
    assert.deepEqual([first, again], ["miss", "hit"]);
    assert.equal(final.id, whole.id);
    assert.deepEqual(told(final.choices), told(whole.choices));
    assert.deepEqual(final.usage.total_tokens, whole.usage.total_tokens);
  });

  test(`${form}: an answer after a stream`, async () => {
    const asked = question(form);
    const final = await client.chat.completions.stream({ ...asked, ...usage }).finalChatCompletion();
    const [whole, says] = await cacheSays(client.chat.completions.create(asked));
    assert.equal(says, "hit");
    assert.equal(whole.object, "chat.completion");
    assert.deepEqual(told(whole.choices), told(final.choices));
    assert.deepEqual(whole.usage.total_tokens, final.usage.total_tokens);
  });
}

test("reasoning, both ways", async () => {
  for (const streamFirst of [false, true]) {
    const asked = question("reasoning");
    const streamed = async () => {
      const got = { content: "", reasoning_content: "" }; // the SDK's own helper keeps only the last piece of it
      for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) {
        for (const name of Object.keys(got)) got[name] += chunk.choices[0].delta[name] ?? "";
      }
      return got;
    };
    const plain = async () => {
      const { content, reasoning_content } = (await client.chat.completions.create(asked)).choices[0].message;
      return { content, reasoning_content };
    };
    const [one, other] = streamFirst ? [await streamed(), await plain()] : [await plain(), await streamed()];
    assert.deepEqual(one, other);
    assert.ok(one.reasoning_content.length > 10 && one.content.includes(asked.messages[0].content));
  }
});

test("responses, both ways", async () => {
  for (const streamFirst of [false, true]) {
    number += 1;
    const asked = { model: "m", input: `question ${number}` };
    const streamed = async () => client.responses.stream(asked).finalResponse();
    const plain = async () => client.responses.create(asked);
    const [one, other] = streamFirst ? [await streamed(), await plain()] : [await plain(), await streamed()];
    assert.equal(one.id, other.id);
    assert.equal(one.output_text, other.output_text);
    assert.ok(one.output_text.includes(asked.input));
    assert.equal(one.output[1].arguments, other.output[1].arguments);
  }
});

test("embeddings, both encodings", async () => {
  const input = ["one", "two", "three"];
  const [numbers, first] = await cacheSays(client.embeddings.create({ model: "e", input, encoding_format: "float" }));
  const byDefault = await client.embeddings.create({ model: "e", input });
  const [again, says] = await cacheSays(client.embeddings.create({ model: "e", input: ["three", "one"], encoding_format: "float" }));
  assert.deepEqual([first, says], ["miss", "hit"]);
  const narrow = (item) => Array.from(Float32Array.from(item.embedding));
  assert.deepEqual(byDefault.data.map(narrow), numbers.data.map(narrow));
  assert.deepEqual(again.data.map(narrow), [narrow(numbers.data[2]), narrow(numbers.data[0])]);
});
