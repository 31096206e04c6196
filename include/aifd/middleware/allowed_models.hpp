// The models that one level may use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aifd::middleware {

class AllowedModels {
 public:
  // Names or globs (see protocol/glob.hpp); none: no model is allowed.
  explicit AllowedModels(std::vector<std::string> names);

  // Whether every model is allowed: then nothing needs to be read.
  bool has_all() const noexcept { return has_all_; }

  // As it is named, or without Gemini's "models/" in front. What no model is called is not allowed
  // by any glob: nothing, over 1,024 bytes, a control character, a comma (LiteLLM takes it for a
  // list), or "." or ".." for a segment (some servers take names for paths).
  bool has(std::string_view model) const noexcept;

  // "Your key (level 1) may use: gpt-4, gpt-3.5*."
  std::string text(int level) const;

 private:
  std::vector<std::string> names_;
  bool has_all_ = false;
};

}  // namespace aifd::middleware
