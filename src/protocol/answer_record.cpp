#include "answer_record.hpp"

#include <algorithm>

#include "body_kind.hpp"
#include "record_json.hpp"
#include "record_writer.hpp"

namespace aifd::protocol {
namespace {

using Api = ConversationApi;
using Choices = std::vector<KeptChoice>;

// In the shape of chat completions, whatever API they come from.
void append_call(LineBuffer& out, std::size_t index, const KeptCall& call) {
  RecordWriter writer(out);
  writer.number("index", index);
  writer.joined("id", call.id);
  writer.word("type", call.is_custom ? "custom" : "function");
  RecordWriter function(
      writer.value(call.is_custom ? RecordName("custom") : RecordName("function")));
  function.joined("name", call.name);
  function.joined(call.is_custom ? RecordName("input") : RecordName("arguments"),
                  call.arguments.view());
  function.finish();
  writer.finish();
}

void write_calls(RecordWriter& writer, Api api, const KeptChoice& choice) {
  LineBuffer& out = writer.value("assistant");
  char before = '[';
  std::size_t position = 0;
  for (const KeptCall& call : choice.calls) {
    out.append(before);
    before = ',';
    append_call(out, api == Api::chat ? call.index : position, call);
    ++position;
  }
  out.append(']');
}

void write_assistant(RecordWriter& writer, Api api, const KeptChoice& choice) {
  if (!choice.calls.empty()) {
    write_calls(writer, api, choice);
  } else if (choice.has_text) {
    writer.joined("assistant", choice.text.view());
  } else {
    writer.null("assistant");
  }
  writer.boolean("is_tool_calls", !choice.calls.empty());
}

void write_other_texts(RecordWriter& writer, const KeptChoice& choice) {
  if (!choice.calls.empty()) writer.joined_if_any("content", choice.text.view());
  writer.joined_if_any("reasoning", choice.reasoning.view());
  writer.joined_if_any("refusal", choice.refusal.view());
}

template <class Write>
void write_choices(RecordWriter& writer, const Choices& choices, Write write) {
  if (choices.size() < 2) return;
  LineBuffer& out = writer.value("choices");
  char before = '[';
  for (const KeptChoice& choice : choices) {
    out.append(before);
    before = ',';
    RecordWriter item(out);
    item.number("index", choice.index);
    write(item, choice);
    item.joined_or_null("finish_reason", choice.finish_reason);
    item.finish();
  }
  out.append(']');
}

void write_chat(RecordWriter& writer, Api api, std::string_view uid, const Choices& choices) {
  static const KeptChoice kNone;
  const KeptChoice& first = choices.empty() ? kNone : choices.front();
  write_assistant(writer, api, first);
  writer.text("uid", uid);
  write_other_texts(writer, first);
  write_choices(writer, choices, [api](RecordWriter& item, const KeptChoice& choice) {
    write_assistant(item, api, choice);
    write_other_texts(item, choice);
  });
}

void write_text(RecordWriter& writer, const RecordName& name, const KeptChoice& choice) {
  choice.has_text ? writer.joined(name, choice.text.view()) : writer.null(name);
}

void write_completion(RecordWriter& writer, std::string_view uid, const Choices& choices) {
  choices.empty() ? writer.null("text") : write_text(writer, "text", choices.front());
  writer.text("uid", uid);
  write_choices(writer, choices, [](RecordWriter& item, const KeptChoice& choice) {
    write_text(item, "text", choice);
  });
}

void write_general(RecordWriter& writer, std::string_view uid, const AnswerFacts& facts) {
  LineBuffer& out = writer.value("response");
  if (facts.response.empty()) {
    out.append("null");
  } else if (!may_be_json(facts.content_type, facts.response) ||
             !append_record_json(out, facts.response)) {
    out.append('"');
    append_escaped(out, facts.response);
    out.append('"');
  }
  writer.number("response_bytes", facts.bytes);
  writer.text_or_null("content_type", facts.content_type);
  writer.text("uid", uid);
}

void write_body(RecordWriter& writer, Api api, std::string_view uid, const KeptAnswer& answer,
                const Choices& choices, const AnswerFacts& facts) {
  switch (api) {
    case Api::chat:
    case Api::responses:
    case Api::messages:
      return write_chat(writer, api, uid, choices);
    case Api::completion:
    case Api::whisper:
      return write_completion(writer, uid, choices);
    case Api::embedding:
      writer.joined_or_null("object", answer.object);
      return writer.text("uid", uid);
    case Api::general:
      return write_general(writer, uid, facts);
  }
}

void write_usage(RecordWriter& writer, const KeptAnswer& answer, const AnswerFacts& facts) {
  switch (facts.source) {
    case UsageSource::exact:
      writer.json("usage", answer.usage);
      return writer.word("usage_source", "exact");
    case UsageSource::estimated: {
      RecordWriter usage(writer.value("usage"));
      usage.number("prompt_tokens", facts.estimate.prompt);
      usage.number("completion_tokens", facts.estimate.completion);
      usage.number("total_tokens", facts.estimate.prompt + facts.estimate.completion);
      usage.finish();
      return writer.word("usage_source", "estimated");
    }
    case UsageSource::unknown:
      break;
  }
  writer.null("usage");
  writer.word("usage_source", "unknown");
}

void write_milliseconds(RecordWriter& writer, const RecordName& name,
                        std::chrono::microseconds time) {
  writer.thousandths(name, static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0)));
}

void write_times(RecordWriter& writer, const AnswerNote& note) {
  note.first_byte ? write_milliseconds(writer, "ttft_ms", *note.first_byte)
                  : writer.null("ttft_ms");
  write_milliseconds(writer, "duration_ms", note.duration);
}

}  // namespace

void append_answer_record(LineBuffer& out, ConversationApi api, const AnswerNote& note,
                          const KeptAnswer& answer, const AnswerFacts& facts) {
  const Choices& choices = answer.choices;
  RecordWriter writer(out);
  write_body(writer, api, note.uid, answer, choices, facts);
  writer.word("datetime", note.datetime);
  writer.joined_or_null("model", answer.model);
  writer.number("status", static_cast<std::uint64_t>(std::max(note.status, 0)));
  writer.joined_or_null("finish_reason",
                        choices.empty() ? std::string_view{} : choices.front().finish_reason);
  write_usage(writer, answer, facts);
  writer.word("ended_by", note.ended_by);
  writer.word("phase", note.phase);
  writer.word_if_any("error", note.error);
  writer.joined_if_any("error_text", answer.error_text);
  writer.word_if_any("drained", note.drained);
  write_times(writer, note);
  writer.word_if_any("cache", note.cache);
  writer.number("attempts", note.attempts);
  writer.word("api", to_string(api));
  writer.text_if_any("route", note.route);
  writer.text_or_null("upstream", note.upstream);
  writer.text_if_any("key", note.key);
  if (facts.truncated) writer.boolean("truncated", true);
  writer.finish();
}

}  // namespace aifd::protocol
