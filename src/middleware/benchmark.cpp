#include "aifd/middleware/benchmark.hpp"

#include <array>
#include <ctime>

#include "aifd/protocol/dialect.hpp"

namespace aifd::middleware {
namespace {

using chain::Exchange;
using chain::Reply;

constexpr std::string_view kChatPath = "/benchmark/v1/chat/completions";
constexpr std::string_view kModelsPath = "/benchmark/v1/models";
constexpr std::string_view kModels =
    R"({"object":"list","data":[{"id":"benchmark","object":"model","created":0,"owned_by":"aifd"}]})";

constexpr std::array<std::string_view, 48> kTokens{
    "This",   " is",      " the",     " model",  " built",    " into",    " aifd",  ".",
    " It",    " answers", " every",   " prompt", " with",     " the",     " same",  " words",
    ",",      " so",      " that",    " you",    " can",      " see",     " a",     " stream",
    " pass",  " through", " the",     " daemon", " and",      " measure", " what",  " it",
    " costs", ".",        " Nothing", " here",   " thinks",   ",",        " and",   " nothing",
    " is",    " sent",    " to",      " any",    " provider", ".",        " Enjoy", "!"};

std::string answer_text() {
  std::string text;
  for (const std::string_view token : kTokens) text += token;
  return text;
}

// What all events of one stream begin with.
std::string chunk_start(std::string_view id, std::string_view model) {
  std::string start = R"(data: {"id":"chatcmpl-)";
  start += id;
  start += R"(","object":"chat.completion.chunk","created":)";
  start += std::to_string(std::time(nullptr));
  start += R"(,"model":")";
  protocol::append_json_escaped(start, model);
  start += R"(","choices":[{"index":0,"delta":)";
  return start;
}

constexpr std::size_t kMostModelBytes = 1024;  // each event repeats the name
constexpr std::size_t kEvents = kTokens.size() + 2;

void append_event(std::string& text, std::string_view start, std::size_t event) {
  text += start;
  if (event == 0) {
    text += R"({"role":"assistant","content":""},"finish_reason":null}]})";
  } else if (event <= kTokens.size()) {
    text += R"({"content":")";
    text += kTokens[event - 1];
    text += R"("},"finish_reason":null}]})";
  } else {
    text += R"({},"finish_reason":"stop"}]})";
    text += "\n\ndata: [DONE]";
  }
  text += "\n\n";
}

// One event a token: the role first, then the words, then the reason to stop and [DONE].
std::string whole_stream(std::string_view id, std::string_view model) {
  const std::string start = chunk_start(id, model);
  std::string text;
  for (std::size_t event = 0; event < kEvents; ++event) append_event(text, start, event);
  return text;
}

std::string whole_completion(std::string_view id, std::string_view model,
                             std::size_t prompt_bytes) {
  const std::size_t prompt_tokens = prompt_bytes / 4;
  std::string body = R"({"id":"chatcmpl-)";
  body += id;
  body += R"(","object":"chat.completion","created":)";
  body += std::to_string(std::time(nullptr));
  body += R"(,"model":")";
  protocol::append_json_escaped(body, model);
  body += R"(","choices":[{"index":0,"message":{"role":"assistant","content":")";
  body += answer_text();
  body += R"(","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":)";
  body += std::to_string(prompt_tokens);
  body += R"(,"completion_tokens":)";
  body += std::to_string(kTokens.size());
  body += R"(,"total_tokens":)";
  body += std::to_string(prompt_tokens + kTokens.size());
  body += "}}";
  return body;
}

Reply stream_reply(Exchange& exchange, std::string_view model) {
  Reply reply;
  reply.head.status = 200;
  reply.head.reason = chain::reason_phrase(200);
  reply.head.fields.add("Content-Type", "text/event-stream; charset=utf-8");
  reply.head.fields.add("Cache-Control", "no-cache");
  reply.framing = {protocol::BodyKind::chunked, 0};
  reply.body = std::make_unique<chain::TextBody>(whole_stream(exchange.request_id, model));
  return reply;
}

Error bad_request(std::string detail) {
  return {ErrorKind::bad_request, ErrorSource::client, false, std::move(detail)};
}

}  // namespace

Task<Result<chain::Verdict>> Benchmark::on_request(Exchange& exchange) const {
  if (exchange.route.prefix != kPrefix) co_return chain::Verdict{chain::Pass{}};
  const std::string_view path = exchange.target.path;
  if (exchange.framing.wants_upgrade) {
    co_return Error{
        ErrorKind::upgrade_refused, ErrorSource::client, false,
        "The benchmark model does not speak WebSocket; use POST " + std::string(kChatPath) + "."};
  }
  if (path == kModelsPath &&
      (exchange.request.method == "GET" || exchange.request.method == "HEAD")) {
    co_return chain::Verdict{chain::text_reply(exchange, 200, chain::reason_phrase(200),
                                               "application/json", std::string(kModels))};
  }
  if (path == kChatPath && exchange.request.method == "POST") co_return co_await complete(exchange);
  co_return Error{ErrorKind::no_route, ErrorSource::client, false,
                  "The benchmark model serves POST " + std::string(kChatPath) + "."};
}

Task<Result<chain::Verdict>> Benchmark::complete(Exchange& exchange) const {
  const Result<bool> whole = co_await exchange.body.hold(max_buffered_bytes_);
  if (!whole) co_return whole.error();
  if (!*whole) {
    co_return Error{ErrorKind::body_too_large, ErrorSource::client, false,
                    "The body is larger than MAX_BUFFERED_BODY_BYTES."};
  }
  const protocol::JsonPeek* peek = exchange.body.peek();
  if (peek == nullptr) co_return bad_request("The body is not a JSON object.");
  const std::string model = peek->model.value_or("benchmark");
  if (model.size() > kMostModelBytes) co_return bad_request("The name of the model is too long.");
  if (!peek->stream.value_or(false)) {
    co_return chain::Verdict{chain::text_reply(
        exchange, 200, chain::reason_phrase(200), "application/json",
        whole_completion(exchange.request_id, model, exchange.body.held().size()))};
  }
  co_return chain::Verdict{stream_reply(exchange, model)};
}

}  // namespace aifd::middleware
