#include <algorithm>
#include <optional>
#include <utility>

#include "aifd/protocol/conversation.hpp"
#include "aifd/protocol/dialect.hpp"
#include "aifd/protocol/fields.hpp"
#include "aifd/protocol/token_estimate.hpp"
#include "answer_reader.hpp"
#include "answer_record.hpp"
#include "body_kind.hpp"
#include "event_feed.hpp"
#include "json_tape.hpp"
#include "kept_answer.hpp"
#include "partial_json.hpp"
#include "record_json.hpp"
#include "utf8.hpp"

namespace aifd::protocol {
namespace {

using Api = ConversationApi;

constexpr std::size_t kMostEventBytes = std::size_t{16} << 20;
constexpr std::size_t kMostErrorBytes = 4096;                          // of one that is no JSON
constexpr std::size_t kMostEventBytesWhenCut = std::size_t{64} << 10;  // a usage report fits

bool is_success(int status) noexcept {
  return status >= 200 && status < 300;
}

void free_memory(std::string& text) {
  text.clear();
  text.shrink_to_fit();
}

std::size_t most_event_bytes(const AnswerRecorder::Options& options) {
  return std::min(kMostEventBytes, options.max_bytes);
}

// A thread keeps it, since the answers of one model are alike.
JsonTape& tape_of_whole_answers() {
  thread_local JsonTape tape;
  return tape;
}

}  // namespace

class AnswerRecorder::Impl {
 public:
  Impl(Api api, Options options) : api_(api), options_(options), kept_(options.max_bytes) {}

  void head(int status, std::string_view content_type, std::string_view content_encoding) {
    status_ = status;
    content_type_ = content_type;
    is_coded_ = is_coded(content_encoding);
  }

  void feed(std::string bytes) {
    bytes_ += bytes.size();
    if (form_ == Form::unknown) {
      form_ = form_of(bytes);
      if (form_ == Form::events) take_events(std::exchange(body_, {}));
    }
    if (form_ == Form::events) {
      take_events(bytes);
    } else if (form_ != Form::unread) {
      keep(std::move(bytes));
    }
  }

  // What a stream reports at its end still counts, and what is there of a whole answer.
  void cut() {
    kept_.cut();
    options_.max_bytes = body_.size();
    if (form_ == Form::unknown) form_ = Form::unread;
    if (form_ != Form::events) return;
    kept_.close();
    stream().feed.lower_bound(kMostEventBytesWhenCut);
  }

  std::size_t held_bytes() const {
    const std::size_t of_stream =
        stream_ ? stream_->feed.held_bytes() + stream_->tape.held_bytes() : 0;
    return body_.capacity() + completed_.capacity() + repaired_.capacity() + of_stream +
           kept_.held_bytes();
  }

  void append_record(LineBuffer& out, const AnswerNote& note) {
    if (form_ == Form::events) {
      end_events();
    } else if (form_ != Form::unread) {
      take_body();
    }
    kept_.put_in_order();
    append_answer_record(out, api_, note, kept_, facts(note));
  }

 private:
  struct Stream {
    Stream(EventFeed::Kind kind, std::size_t max_event_bytes) : feed(kind, max_event_bytes) {}

    EventFeed feed;
    JsonTape tape;  // of one event after the other
  };

  enum class Form {
    unknown,  // nothing but white space came yet
    events,
    whole,   // kept until its end
    unread,  // coded, or of no use for the record
  };

  // The first byte tells an object from a stream, whatever the head says.
  Form form_of(std::string_view bytes) {
    if (is_coded_) return Form::unread;
    if (api_ == Api::general) return is_binary_type(content_type_) ? Form::unread : Form::whole;
    const std::size_t first = bytes.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return Form::unknown;
    if (is_json_lines(content_type_)) {
      stream_.emplace(EventFeed::Kind::lines, most_event_bytes(options_));
      return Form::events;
    }
    if (bytes[first] == '{' || bytes[first] == '[') return Form::whole;
    const bool may_stream = api_ != Api::embedding && api_ != Api::whisper;
    const bool is_stream = content_type_.empty() ? may_stream && options_.streams_by_default
                                                 : is_event_stream(content_type_);
    return is_stream ? Form::events : Form::whole;
  }

  void keep(std::string bytes) {
    if (api_ == Api::embedding) {
      std::string skimmed;
      skimmer_.feed(bytes, skimmed);
      bytes = std::move(skimmed);
    }
    if (api_ == Api::general && !says_text() && bytes.find('\0') != std::string::npos) {
      form_ = Form::unread;
      free_memory(body_);
      return;
    }
    const std::size_t left = options_.max_bytes - body_.size();
    if (bytes.size() > left) {
      kept_.cut();
      bytes.resize(left);
    }
    if (body_.empty()) {
      body_ = std::move(bytes);
    } else {
      body_ += bytes;
    }
  }

  Stream& stream() {
    if (!stream_) stream_.emplace(EventFeed::Kind::sse, most_event_bytes(options_));
    return *stream_;
  }

  void take_events(std::string_view bytes) {
    EventFeed& feed = stream().feed;
    feed.give(bytes);
    while (feed.next()) take_event(feed.name(), feed.data());
    if (feed.was_cut()) kept_.cut();
  }

  void end_events() {
    is_ended_ = true;
    stream().feed.end();
    take_events({});
  }

  void take_event(std::string_view name, std::string_view data) {
    JsonTape& tape = stream_->tape;
    if (tape.read_next(data) || read_repaired(tape, data)) {
      take_json(name, tape.root());
    } else if (name == "error") {
      set_error_text(data);
    } else if (!is_ended_ && looks_like_object(data)) {
      note_unread();
    }
    tape.give_back();
    free_memory(repaired_);
  }

  void take_json(std::string_view event_name, const JsonTape::Value& value) {
    const std::uint64_t before = kept_.content_bytes();
    take_answer(kept_, api_, value);
    if (kept_.content_bytes() > before) ++content_events_;
    if (event_name == "error" && kept_.error_text.empty()) kept_.set_error(value);
  }

  // Some servers cut characters in two, and their halves are no UTF-8.
  bool read_repaired(JsonTape& tape, std::string_view text) {
    if (is_utf8(text)) return false;
    repaired_ = with_replacements(text);
    return tape.read(repaired_);
  }

  // A general route's answer is in the record as it came.
  void note_unread() {
    if (api_ != Api::general) kept_.cut();
  }

  bool is_json() const {
    const bool is_transcript = api_ == Api::whisper && is_success(status_) &&
                               istarts_with(trimmed(content_type_), "text/");
    return !is_transcript && may_be_json(content_type_, body_);
  }

  void take_body() {
    JsonTape& tape = tape_of_whole_answers();
    if (is_json() &&
        (tape.read_next(body_) || read_repaired(tape, body_) || read_beginning(tape))) {
      is_read_ = true;
      if (is_success(status_)) {
        kept_.read_lasting();
        take_answer(kept_, api_, tape.root());
      } else {
        kept_.set_error(tape.root());
      }
    } else if (is_success(status_)) {
      take_text();
    } else if (api_ != Api::general) {
      set_error_text(body_);
    }
    tape.give_back();
  }

  // Of an answer that was cut off what is there counts.
  bool read_beginning(JsonTape& tape) {
    completed_ = completed_json(repaired_.empty() ? body_ : repaired_);
    return tape.read(completed_);
  }

  void take_text() {
    if (looks_like_events(body_)) {
      take_events(body_);
      end_events();
    } else if (api_ == Api::whisper) {
      KeptChoice* const choice = kept_.choice(0);
      choice->has_text = bytes_ > 0;
      std::string escaped;
      append_json_escaped(escaped, whole_text());
      choice->text.append(escaped);
    } else if (looks_like_object(body_)) {
      note_unread();
    }
  }

  std::string_view whole_text() const {
    return std::string_view{body_}.substr(0, whole_characters(body_));
  }

  void set_error_text(std::string_view text) {
    text = text.substr(0, kMostErrorBytes);
    kept_.error_text.clear();
    append_json_escaped(kept_.error_text, text.substr(0, whole_characters(text)));
  }

  AnswerFacts facts(const AnswerNote& note) {
    AnswerFacts facts;
    facts.content_type = content_type_;
    facts.bytes = bytes_;
    facts.source = usage_source(note);
    if (facts.source == UsageSource::estimated) facts.estimate = estimate(note);
    if (api_ == Api::general && is_text()) facts.response = whole_text();
    const bool is_of_no_use = api_ == Api::general && facts.response.empty();
    facts.truncated = note.bytes_lost || (kept_.was_cut() && !is_of_no_use);
    return facts;
  }

  bool says_text() const {
    return istarts_with(trimmed(content_type_), "text/") ||
           icontains(main_value(content_type_), "json");
  }

  bool is_text() const { return says_text() || is_utf8(whole_text()); }

  UsageSource usage_source(const AnswerNote& note) const {
    if (!is_success(status_)) return UsageSource::unknown;
    const bool is_to_end = note.ended_by == "complete" || note.drained == "whole";
    if (is_to_end && kept_.usage_is_final && !kept_.usage.empty()) return UsageSource::exact;
    if (!kept_.usage.empty()) return UsageSource::estimated;
    const bool is_counted = api_ != Api::whisper && api_ != Api::general;
    const bool says_something = kept_.content_bytes() > 0 || (is_bare() && bytes_ > 0);
    return is_counted && says_something ? UsageSource::estimated : UsageSource::unknown;
  }

  // Whether its bytes are all that is known of what it says.
  bool is_bare() const {
    return api_ == Api::embedding || form_ == Form::unread || (form_ == Form::whole && !is_read_);
  }

  TokenCounts estimate(const AnswerNote& note) const {
    TokenCounts counts = reported_tokens(kept_.usage);
    if (counts.prompt == 0) counts.prompt = estimated_tokens(note.request_bytes);
    if (api_ == Api::embedding) return counts;
    const std::uint64_t bytes = is_bare() ? bytes_ : kept_.content_bytes();
    const std::uint64_t guess = content_events_ > 0 ? content_events_ : estimated_tokens(bytes);
    counts.completion = std::max(counts.completion, guess);
    return counts;
  }

  Api api_;
  Options options_;
  KeptAnswer kept_;
  std::optional<Stream> stream_;  // where it is one
  ListSkimmer skimmer_;
  int status_ = 0;
  std::string_view content_type_;
  bool is_coded_ = false;
  Form form_ = Form::unknown;
  std::string body_;
  std::string completed_;  // what was made of one that is cut
  std::string repaired_;   // what was made of JSON that is no UTF-8
  std::uint64_t bytes_ = 0;
  std::uint64_t content_events_ = 0;
  bool is_read_ = false;   // the body, as JSON
  bool is_ended_ = false;  // an event now may be half of one
};

AnswerRecorder::AnswerRecorder(ConversationApi api, Options options)
    : impl_(std::make_unique<Impl>(api, options)) {}

AnswerRecorder::~AnswerRecorder() = default;

void AnswerRecorder::head(int status, std::string_view content_type,
                          std::string_view content_encoding) {
  impl_->head(status, content_type, content_encoding);
}

void AnswerRecorder::feed(std::string bytes) {
  impl_->feed(std::move(bytes));
}

std::size_t AnswerRecorder::held_bytes() const {
  return impl_->held_bytes();
}

void AnswerRecorder::cut() {
  impl_->cut();
}

void AnswerRecorder::append_record(LineBuffer& out, const AnswerNote& note) {
  impl_->append_record(out, note);
}

}  // namespace aifd::protocol
