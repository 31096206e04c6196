#include "conversion.hpp"

#include <cstring>
#include <numeric>
#include <utility>

#include "aifd/protocol/chat_record.hpp"
#include "aifd/protocol/indented_json.hpp"
#include "line_reader.hpp"
#include "log_files.hpp"
#include "progress_bar.hpp"
#include "target_file.hpp"

namespace aifd::convert {
namespace {

namespace fs = std::filesystem;
using protocol::ChatRecord;

// The target's text around and between the conversations.
class ConversationWriter {
 public:
  ConversationWriter(TargetFile& target, Format format)
      : target_(target), is_list_(format == Format::json) {}

  void add(std::string_view conversation) {
    ++count_;
    text_.clear();
    if (is_list_) {
      text_ = count_ == 1 ? "[\n  " : ",\n  ";
      protocol::append_indented(text_, conversation, 1);
    } else {
      text_ += conversation;
      text_ += '\n';
    }
    target_.write(text_);
  }

  void finish() {
    if (is_list_) target_.write(count_ == 0 ? "[]" : "\n]");
    target_.finish();
  }

  std::uint64_t count() const { return count_; }

 private:
  TargetFile& target_;
  bool is_list_;
  std::string text_;
  std::uint64_t count_ = 0;
};

class Conversion {
 public:
  Conversion(std::vector<LogFile> files, const fs::path& target, Format format)
      : files_(std::move(files)),
        format_(format),
        target_(target),
        writer_(target_, format),
        store_(target.has_parent_path() ? target.parent_path() : fs::path(".")),
        pairs_(
            {}, store_, [this](const auto& asked, const auto& said) { return join(asked, said); },
            [this](std::string_view text) { writer_.add(text); }),
        progress_(std::accumulate(
            files_.begin(), files_.end(), std::uint64_t{0},
            [](std::uint64_t sum, const LogFile& file) { return sum + file.bytes; })) {
    for (const LogFile& file : files_) report_.files.push_back(file.path);
  }

  std::variant<Report, std::string> run() {
    for (std::size_t file = 0; file < files_.size() && failure().empty(); ++file) read(file);
    pairs_.finish();
    if (failure().empty()) writer_.finish();
    if (std::string why = failure(); !why.empty()) return why;
    report_.written = writer_.count();
    report_.out_of_order = pairs_.out_of_order();
    report_.requests = pairs_.lone_requests();
    report_.answers = pairs_.lone_answers();
    return std::move(report_);
  }

 private:
  std::string join(const ChatRecord& asked, const ChatRecord& said) {
    if (format_ != Format::openai) return protocol::conversation(asked, said);
    auto example = protocol::training_example(asked, said);
    if (auto* text = std::get_if<std::string>(&example)) return std::move(*text);
    ++report_.unfit.at(static_cast<std::size_t>(std::get<protocol::Unfit>(example)));
    return {};
  }

  std::string failure() const {
    if (!failure_.empty() || !target_.failure().empty()) {
      return failure_.empty() ? target_.failure() : failure_;
    }
    if (store_.failure() == 0) return {};
    return std::string("a file beside the target cannot be written: ") +
           std::strerror(store_.failure());
  }

  void read(std::size_t index) {
    LogFile& file = files_[index];
    if (const int error = open_again(file); error != 0) {
      failure_ = file.path.string() + " cannot be read: " + std::strerror(error);
      return;
    }
    const auto source = LogSource::open(file.descriptor.get(), file.packing);
    LineReader lines(*source);
    std::string_view line;
    while (failure().empty()) {
      const LineReader::Found found = lines.next(line);
      if (found == LineReader::Found::end) break;
      const LogPlace place{index, lines.number()};
      if (found == LineReader::Found::line) {
        add(line, place);
      } else {
        note_bad(place, "longer than 256 MiB");
      }
      progress_.show(done_ + source->bytes_read());
    }
    done_ += source->bytes_read();
    file.descriptor = Descriptor();
    if (source->failure() != 0) {
      failure_ = file.path.string() + " cannot be read: " + std::strerror(source->failure());
    }
    if (!source->damage().empty()) {
      report_.damages.push_back(file.path.string() + ": " + source->damage());
    }
  }

  void add(std::string_view line, LogPlace place) {
    if (line.find_first_not_of(" \t") == line.npos) return;
    auto read = protocol::read_chat_record(line);
    if (auto* record = std::get_if<ChatRecord>(&read)) {
      pairs_.add(std::move(*record), place);
    } else {
      note_bad(place, std::get<std::string>(read));
    }
  }

  void note_bad(LogPlace place, const std::string& what) {
    ++report_.bad_lines;
    if (report_.bad_lines_named.size() == Report::kMostNamed) return;
    report_.bad_lines_named.push_back(report_.name_of(place) + ": " + what);
  }

  std::vector<LogFile> files_;
  Format format_;
  Report report_;
  std::string failure_;
  std::uint64_t done_ = 0;
  TargetFile target_;
  ConversationWriter writer_;
  RecordStore store_;
  ExchangePairs pairs_;
  ProgressBar progress_;
};

}  // namespace

std::string Report::name_of(const LogPlace& place) const {
  return files.at(place.file).string() + ":" + std::to_string(place.line);
}

std::variant<Report, std::string> convert_folder(const fs::path& folder, const fs::path& target,
                                                 Format format) {
  auto files = open_logs(folder);
  if (auto* failure = std::get_if<std::string>(&files)) return std::move(*failure);
  return Conversion(std::move(std::get<std::vector<LogFile>>(files)), target, format).run();
}

}  // namespace aifd::convert
