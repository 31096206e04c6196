// Random JSON for tests, and one value written in many ways.
#pragma once

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace aifd::protocol {

class RandomJson {
 public:
  explicit RandomJson(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return random_() % limit; }

  nlohmann::json object(int depth) {
    nlohmann::json made = nlohmann::json::object();
    for (std::size_t i = below(7); i > 0; --i) made[text()] = value(depth - 1);
    return made;
  }

  nlohmann::json value(int depth) {
    switch (below(depth > 0 ? 8 : 5)) {
      case 0:
        return text();
      case 1:
        return static_cast<std::int64_t>(below(3000)) - 1000;
      case 2:
        return (static_cast<double>(below(4096)) - 2048) / 64;  // exact in decimal
      case 3:
        return below(2) == 0;
      case 4:
        return nullptr;
      case 5: {
        nlohmann::json list = nlohmann::json::array();
        for (std::size_t i = below(5); i > 0; --i) list.push_back(value(depth - 1));
        return list;
      }
      default:
        return object(depth);
    }
  }

  // The value with members, white space and spellings as chance has them.
  std::string written(const nlohmann::json& value) {
    switch (value.type()) {
      case nlohmann::json::value_t::object:
        return written_object(value);
      case nlohmann::json::value_t::array:
        return written_array(value);
      case nlohmann::json::value_t::string:
        return written_text(value.get<std::string>());
      case nlohmann::json::value_t::number_integer:
      case nlohmann::json::value_t::number_unsigned:
        return written_integer(value.dump());
      default:
        return value.dump();
    }
  }

 private:
  std::string text() {
    static const std::vector<std::string> kCharacters{
        "a", "b",  "z",    "A",        "\"",           "\\",
        "/", "\n", "\x01", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    std::string made;
    for (std::size_t i = below(5); i > 0; --i) made += kCharacters[below(kCharacters.size())];
    return made;
  }

  std::string space() {
    std::string made;
    while (below(3) == 0) made += " \t\r\n"[below(4)];
    return made;
  }

  std::string written_object(const nlohmann::json& object) {
    std::vector<std::string> members;
    for (const auto& [name, value] : object.items()) {
      members.push_back(space() + written_text(name) + space() + ":" + space() + written(value) +
                        space());
    }
    std::ranges::shuffle(members, random_);
    return "{" + joined(members) + "}";
  }

  std::string written_array(const nlohmann::json& array) {
    std::vector<std::string> elements;
    for (const auto& element : array) elements.push_back(space() + written(element) + space());
    return "[" + joined(elements) + "]";
  }

  std::string joined(const std::vector<std::string>& parts) {
    std::string made = space();
    for (const std::string& part : parts) made += (&part == parts.data() ? "" : ",") + part;
    return made;
  }

  // Some characters as they are, some as \uXXXX, in pairs of surrogates where needed.
  std::string written_text(const std::string& text) {
    const std::string plain = nlohmann::json(text).dump();
    const std::string escaped = nlohmann::json(text).dump(-1, ' ', true);
    if (below(3) == 0) return escaped;
    if (below(2) == 0) return plain;
    std::string made;
    for (std::size_t i = 0; i < plain.size(); ++i) {
      if (plain[i] == '\\') {
        made += plain[i++];
        made += plain[i];
      } else if (plain[i] == 'a' && plain[i - 1] != '0' && below(2) == 0) {
        made += "\\u0061";
      } else {
        made += plain[i] == '/' && below(2) == 0 ? "\\/" : std::string(1, plain[i]);
      }
    }
    return made;
  }

  std::string written_integer(const std::string& digits) {
    switch (below(4)) {
      case 0:
        return digits + ".00";
      case 1:
        return digits + "e+0";
      case 2:
        return digits == "0" ? "0E-02" : digits + "00E-02";
      default:
        return digits;
    }
  }

  std::mt19937 random_;
};

}  // namespace aifd::protocol
