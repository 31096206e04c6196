#include "aifd/services/chat_printer.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace aifd::services {
namespace {

using Json = nlohmann::json;

struct RoleColour {
  std::string_view role;
  std::string_view code;  // 24-bit foreground (ISO 8613-6)
};

constexpr std::array kRoleColours{
    RoleColour{"system", "38;2;234;67;53"},     RoleColour{"developer", "38;2;234;67;53"},
    RoleColour{"user", "38;2;245;168;142"},     RoleColour{"assistant", "38;2;189;173;255"},
    RoleColour{"function", "38;2;247;147;147"}, RoleColour{"tool", "38;2;247;147;147"},
};
constexpr std::string_view kOtherColour = "38;2;66;133;244";
constexpr std::size_t kRequestWidth = 50;
constexpr std::size_t kAnswerWidth = 77;

std::string_view colour_of(std::string_view role) {
  for (const RoleColour& known : kRoleColours) {
    if (known.role == role) return known.code;
  }
  return kOtherColour;
}

// How many bytes at the beginning are a C1 control, or turn the direction of what is shown (U+202A
// to U+202E, U+2066 to U+2069).
std::size_t harm_at(std::string_view text) {
  const auto within = [&](std::string_view lead, unsigned char first, unsigned char last) {
    if (text.size() <= lead.size() || !text.starts_with(lead)) return false;
    const auto c = static_cast<unsigned char>(text[lead.size()]);
    return c >= first && c <= last;
  };
  if (within("\xC2", 0x80, 0x9F)) return 2;
  return within("\xE2\x80", 0xAA, 0xAE) || within("\xE2\x81", 0xA6, 0xA9) ? 3 : 0;
}

// Without what moves the cursor, rings, begins an escape sequence or shows a text in another order:
// C0 and C1 controls but for line feeds and tabs, and those of direction.
std::string harmless(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (const std::size_t harm = harm_at(text.substr(i)); harm > 0) {
      i += harm - 1;
    } else if ((c >= 0x20 && c != 0x7F) || c == '\n' || c == '\t') {
      safe += text[i];
    }
  }
  return safe;
}

std::string compact(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const Json& record, const char* name) {
  const auto value = record.find(name);
  return value != record.end() && value->is_string() ? value->get<std::string>() : std::string();
}

// The texts of a content's parts, or what it is as JSON.
std::string content_text(const Json& content) {
  if (content.is_null()) return {};
  if (content.is_string()) return content.get<std::string>();
  const auto is_text = [](const Json& part) {
    return part.is_object() && part.contains("text") && part["text"].is_string();
  };
  std::string text;
  if (content.is_array()) {
    for (const Json& part : content) {
      if (!text.empty()) text += '\n';
      text += is_text(part) ? part["text"].get<std::string>()
                            : "[" + (part.is_object() ? text_of(part, "type") : "") + "]";
    }
    return text;
  }
  return compact(content);
}

class Block {
 public:
  explicit Block(bool colour) : colour_(colour) {}

  void line(std::string_view role, std::string_view text) {
    const std::string safe = harmless(text);
    if (colour_) {
      text_.append("\x1b[").append(colour_of(role)).append("m").append(safe).append("\x1b[0m\n");
    } else {
      text_.append(safe).append("\n");
    }
  }
  void rule(std::string_view role, char c, std::size_t width) { line(role, std::string(width, c)); }

  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
  bool colour_;
};

void show_request(const Json& record, Block& block) {
  block.rule("other", '-', kRequestWidth);
  for (const Json& message : record["messages"]) {
    if (!message.is_object()) continue;
    const std::string role = text_of(message, "role").empty() ? "-" : text_of(message, "role");
    std::string content = message.contains("content") ? content_text(message["content"]) : "";
    if (content.empty() && message.contains("tool_calls")) {
      content = compact(message["tool_calls"]);
    }
    block.line(role, std::string(role).append(": ").append(content));
  }
  std::string caller = text_of(record, "ip");
  caller.append("@")
      .append(text_of(record, "model"))
      .append(" uid: ")
      .append(text_of(record, "uid"));
  block.line("other", caller);
  block.rule("other", '-', kRequestWidth);
}

void show_answer(const Json& record, Block& block) {
  constexpr std::string_view kRole = "assistant";
  block.rule(kRole, '=', kAnswerWidth);
  const std::string reasoning = text_of(record, "reasoning");
  if (!reasoning.empty()) block.line("other", "reasoning: " + reasoning);
  const std::string content = text_of(record, "content");
  if (!content.empty()) block.line(kRole, "assistant: " + content);
  const Json& said = record["assistant"];
  std::string text = said.is_string() ? said.get<std::string>() : "";
  if (said.is_array()) text = compact(said);
  if (text.empty()) text = text_of(record, "refusal");
  if (text.empty()) text = text_of(record, "error_text");
  block.line(kRole, "assistant: " + text);
  std::string end = "uid: " + text_of(record, "uid");
  const bool whole =
      text_of(record, "ended_by") == "complete" || text_of(record, "drained") == "whole";
  if (!whole) end += " (cut by " + text_of(record, "ended_by") + ")";
  block.line("other", end);
  block.rule(kRole, '=', kAnswerWidth);
}

}  // namespace

void ChatPrinter::print(std::string_view record) const {
  const Json parsed = Json::parse(record, nullptr, false);
  if (!parsed.is_object()) return;
  Block block(colour_);
  if (parsed.contains("messages") && parsed["messages"].is_array()) {
    show_request(parsed, block);
  } else if (parsed.contains("assistant")) {
    show_answer(parsed, block);
  } else {
    return;
  }
  write_(block.text());
}

}  // namespace aifd::services
