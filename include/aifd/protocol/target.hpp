// Request targets: normalised paths, untouched queries, and the way below a base_url.
#pragma once

#include <string>
#include <string_view>

#include "aifd/base/error.hpp"

namespace aifd::protocol {

// A request target taken apart. `path` is normalised: begins with "/", repeated slashes merged,
// trailing slash dropped (but for "/" itself), percent-encoding as it came; or it is "*", which no
// prefix covers. `query` is what follows the "?", untouched and without it; has_query tells "/a?"
// from "/a".
struct Target {
  std::string path;
  std::string_view query;  // a view into the text given
  bool has_query = false;
};

// Takes origin-form, absolute-form (its authority is dropped) and "*". Refuses (bad_request) a
// space, a control character, non-ASCII or a fragment anywhere, and in the path: a backslash, a
// broken percent escape, and dot segments, also percent-encoded ("/%2e%2E/") or told apart by what
// some servers take for a slash or a segment's end ("/a%2f..", "/..;x/"), since an upstream may
// resolve them above base_url's path. Else "%2f" is kept.
Result<Target> parse_target(std::string_view target);

// The path as the most lenient of servers would read it: percent-encoding taken off once, a
// backslash as a slash, segments without their parameters (";x"), letters in small, repeated and
// trailing slashes dropped. For look-ups that a caller must not dodge by writing
// "/v1/ch%61t%2FCompletions;x"; what is sent on stays as it came.
std::string comparable_path(std::string_view path);

// Whether a normalised path is so spelled already.
bool is_comparable(std::string_view path) noexcept;

// Whether `prefix` ("/", "/localai") covers `path` on whole segments: "/localai" covers "/localai"
// and "/localai/v1" but not "/localai2".
bool covers(std::string_view prefix, std::string_view path) noexcept;

// The target for the upstream: base_path ("" or "/v1") + path without prefix + query. Never empty.
// join_target("/api", "/localai", {"/localai/v1/models", "a=b"}) is "/api/v1/models?a=b".
std::string join_target(std::string_view base_path, std::string_view prefix, const Target& target);

// The first query parameter of that name, as it came (no percent-decoding); "" where there is none.
std::string_view query_parameter(std::string_view query, std::string_view name) noexcept;

// For logs: the values of secret parameters (see secret_names.hpp) become "***".
std::string redact_query(std::string_view query);

}  // namespace aifd::protocol
