#include "aifd/convert/command.hpp"

#include <filesystem>
#include <iostream>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "conversion.hpp"
#include "jobs.hpp"

namespace aifd::convert {
namespace {

Format format_of(const std::string& name) {
  if (name == "openai") return Format::openai;
  return name == "jsonl" ? Format::jsonl : Format::json;
}

// "1,234 files", "1 file".
std::string counted(std::uint64_t count, std::string_view what) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  text += ' ';
  text += what;
  return count == 1 ? text : text + 's';
}

void append_if(std::string& text, std::uint64_t count, std::string_view before,
               const std::string& what) {
  if (count > 0) text.append(before).append(what);
}

std::string summary(const Job& job, const Report& report, Format format) {
  const char* what = format == Format::openai ? "example" : "conversation";
  std::string text = job.folder.string() + " (" + counted(report.files.size(), "file") + ") -> " +
                     job.target.string() + ": " + counted(report.written, what);
  const std::uint64_t late = report.out_of_order;
  append_if(text, late, ", ", std::to_string(late) + " of them out of order");
  std::string lone;
  append_if(lone, report.requests.count, "", counted(report.requests.count, "request"));
  append_if(lone, report.answers.count, lone.empty() ? "" : " and ",
            counted(report.answers.count, "answer"));
  if (!lone.empty()) text += "; not paired: " + lone;
  std::string unfit;
  for (std::size_t i = 0; i < report.unfit.size(); ++i) {
    append_if(unfit, report.unfit.at(i), unfit.empty() ? "; left out: " : ", ",
              std::to_string(report.unfit.at(i)) + " " +
                  std::string(protocol::to_string(static_cast<protocol::Unfit>(i))));
  }
  text += unfit;
  append_if(text, report.bad_lines, "; passed over: ", counted(report.bad_lines, "line"));
  return text;
}

void say(const std::string& line) {
  std::cerr << "aifd: " << line << '\n';
}

void say_there_are_more(std::uint64_t count, std::size_t named) {
  if (count > named) say("... and " + std::to_string(count - named) + " more of these");
}

void say_lone(const Report& report, const LoneRecords& records, const std::string& what) {
  for (const LoneRecord& record : records.first) {
    say(report.name_of(record.place) + ": " + what + " (uid " + record.uid + ")");
  }
  say_there_are_more(records.count, records.first.size());
}

void say_what_is_missing(const Report& report) {
  for (const std::string& damage : report.damages) {
    say(damage + "; the rest of that file is not converted");
  }
  for (const std::string& line : report.bad_lines_named) say(line + "; passed over");
  say_there_are_more(report.bad_lines, report.bad_lines_named.size());
  say_lone(report, report.requests, "a request without an answer");
  say_lone(report, report.answers, "an answer without a request");
}

// False where it failed.
bool run_job(const Job& job, Format format) {
  auto converted = convert_folder(job.folder, job.target, format);
  if (const auto* failure = std::get_if<std::string>(&converted)) {
    say(*failure);
    return false;
  }
  const auto& report = std::get<Report>(converted);
  say_what_is_missing(report);
  std::cout << summary(job, report, format) << std::endl;
  return true;
}

Ending run_all(const std::vector<Job>& jobs, Format format) {
  bool is_good = true;
  std::size_t converted = 0;
  for (const Job& job : jobs) {
    std::error_code ec;
    if (!std::filesystem::is_directory(job.folder, ec)) {
      say(job.folder.string() + " is not there: passed over");
      continue;
    }
    ++converted;
    is_good = run_job(job, format) && is_good;
  }
  if (converted == 0) say("there is no log yet (LOG_OPENAI=true makes one, LOG_FOLDER says where)");
  return is_good && converted > 0 ? Ending::good : Ending::failed;
}

}  // namespace

Ending run(const Command& command, const config::Settings& settings) {
  auto jobs =
      command.log_folder.empty() ? jobs_of_routes(settings, command) : jobs_of_folder(command);
  if (const auto* failure = std::get_if<Failure>(&jobs)) {
    say(failure->why);
    return failure->ending;
  }
  return run_all(std::get<std::vector<Job>>(jobs), format_of(command.format));
}

}  // namespace aifd::convert
