#include "answer_record.hpp"

#include <algorithm>

#include "body_kind.hpp"
#include "record_json.hpp"
#include "record_names.hpp"
#include "record_writer.hpp"

namespace aifd::protocol {
namespace {

using Api = ConversationApi;
using Choices = std::vector<KeptChoice>;

// In the shape of chat completions, whatever API they come from.
void append_call(LineBuffer& out, std::size_t index, const KeptCall& call) {
  RecordWriter writer(out);
  writer.number(names::index, index);
  writer.joined(names::id, call.id);
  writer.word(names::type, call.is_custom ? "custom" : "function");
  RecordWriter function(writer.value(call.is_custom ? names::custom : names::function));
  function.joined(names::name, call.name);
  function.joined(call.is_custom ? names::input : names::arguments, call.arguments.view());
  function.finish();
  writer.finish();
}

void write_calls(RecordWriter& writer, Api api, const KeptChoice& choice) {
  LineBuffer& out = writer.value(names::assistant);
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
    writer.joined(names::assistant, choice.text.view());
  } else {
    writer.null(names::assistant);
  }
  writer.boolean(names::is_tool_calls, !choice.calls.empty());
}

void write_other_texts(RecordWriter& writer, const KeptChoice& choice) {
  if (!choice.calls.empty()) writer.joined_if_any(names::content, choice.text.view());
  writer.joined_if_any(names::reasoning, choice.reasoning.view());
  writer.joined_if_any(names::refusal, choice.refusal.view());
}

template <class Write>
void write_choices(RecordWriter& writer, const Choices& choices, Write write) {
  if (choices.size() < 2) return;
  LineBuffer& out = writer.value(names::choices);
  char before = '[';
  for (const KeptChoice& choice : choices) {
    out.append(before);
    before = ',';
    RecordWriter item(out);
    item.number(names::index, choice.index);
    write(item, choice);
    item.joined_or_null(names::finish_reason, choice.finish_reason);
    item.finish();
  }
  out.append(']');
}

void write_chat(RecordWriter& writer, Api api, std::string_view uid, const Choices& choices) {
  static const KeptChoice kNone;
  const KeptChoice& first = choices.empty() ? kNone : choices.front();
  write_assistant(writer, api, first);
  writer.text(names::uid, uid);
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
  choices.empty() ? writer.null(names::text) : write_text(writer, names::text, choices.front());
  writer.text(names::uid, uid);
  write_choices(writer, choices, [](RecordWriter& item, const KeptChoice& choice) {
    write_text(item, names::text, choice);
  });
}

void write_general(RecordWriter& writer, std::string_view uid, const AnswerFacts& facts) {
  LineBuffer& out = writer.value(names::response);
  if (facts.response.empty()) {
    out.append("null");
  } else if (!may_be_json(facts.content_type, facts.response) ||
             !append_record_json(out, facts.response)) {
    out.append('"');
    append_escaped(out, facts.response);
    out.append('"');
  }
  writer.number(names::response_bytes, facts.bytes);
  writer.text_or_null(names::content_type, facts.content_type);
  writer.text(names::uid, uid);
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
      writer.joined_or_null(names::object, answer.object);
      return writer.text(names::uid, uid);
    case Api::general:
      return write_general(writer, uid, facts);
  }
}

void write_usage(RecordWriter& writer, const KeptAnswer& answer, const AnswerFacts& facts) {
  switch (facts.source) {
    case UsageSource::exact:
      writer.json(names::usage, answer.usage);
      return writer.word(names::usage_source, "exact");
    case UsageSource::estimated: {
      RecordWriter usage(writer.value(names::usage));
      usage.number(names::prompt_tokens, facts.estimate.prompt);
      usage.number(names::completion_tokens, facts.estimate.completion);
      usage.number(names::total_tokens, facts.estimate.prompt + facts.estimate.completion);
      usage.finish();
      return writer.word(names::usage_source, "estimated");
    }
    case UsageSource::unknown:
      break;
  }
  writer.null(names::usage);
  writer.word(names::usage_source, "unknown");
}

void write_milliseconds(RecordWriter& writer, const RecordName& name,
                        std::chrono::microseconds time) {
  writer.thousandths(name, static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0)));
}

void write_times(RecordWriter& writer, const AnswerNote& note) {
  note.first_byte ? write_milliseconds(writer, names::ttft_ms, *note.first_byte)
                  : writer.null(names::ttft_ms);
  write_milliseconds(writer, names::duration_ms, note.duration);
}

}  // namespace

void append_answer_record(LineBuffer& out, ConversationApi api, const AnswerNote& note,
                          const KeptAnswer& answer, const AnswerFacts& facts) {
  const Choices& choices = answer.choices;
  RecordWriter writer(out);
  write_body(writer, api, note.uid, answer, choices, facts);
  writer.word(names::datetime, note.datetime);
  writer.joined_or_null(names::model, answer.model);
  writer.number(names::status, static_cast<std::uint64_t>(std::max(note.status, 0)));
  writer.joined_or_null(names::finish_reason,
                        choices.empty() ? std::string_view{} : choices.front().finish_reason);
  write_usage(writer, answer, facts);
  writer.word(names::ended_by, note.ended_by);
  writer.word(names::phase, note.phase);
  writer.word_if_any(names::error, note.error);
  writer.joined_if_any(names::error_text, answer.error_text);
  writer.word_if_any(names::drained, note.drained);
  write_times(writer, note);
  writer.word_if_any(names::cache, note.cache);
  writer.number(names::attempts, note.attempts);
  writer.word(names::api, to_string(api));
  writer.text_if_any(names::route, note.route);
  writer.text_or_null(names::upstream, note.upstream);
  writer.text_if_any(names::key, note.key);
  if (facts.truncated) writer.boolean(names::truncated, true);
  writer.finish();
}

}  // namespace aifd::protocol
