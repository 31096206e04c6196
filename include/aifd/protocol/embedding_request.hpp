// A request for embeddings as its single inputs, so that each can be answered by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aifd::protocol {

// How the numbers of an answer are written.
enum class EmbeddingEncoding : std::uint8_t {
  floats,  // a list of JSON numbers; also where the request does not say
  base64,  // of little-endian float32, in one string
};

struct EmbeddingInput {
  // Canonical: equal exactly where two inputs mean the same. A string's begins with a quote, that
  // of a list of tokens with a bracket.
  std::string text;
  std::size_t size = 0;  // its tokens, or the bytes of its string

  // Where it stands in the body.
  std::size_t offset = 0;
  std::size_t length = 0;
};

struct EmbeddingRequest {
  std::vector<EmbeddingInput> inputs;  // in their order, equal ones too; at least one
  EmbeddingEncoding encoding = EmbeddingEncoding::floats;
  // Canonical form of the body without "input", "encoding_format" and kFieldsOutsideCacheKey: with
  // an input's text it says what is asked for, whatever came together with that input and in
  // whatever encoding the answer is to be.
  std::string rest;
};

inline constexpr std::size_t kMostEmbeddingInputs = 4096;

// Takes the body of POST /v1/embeddings apart. "input" is a string, a list of strings, a list of
// token numbers (one input) or a list of such lists. nullopt where it is anything else, empty or
// mixed, or has over kMostEmbeddingInputs inputs; where "encoding_format" is there and neither
// "float" nor "base64"; where one of the two names is there in another case, which some servers
// take for it; and where the body has no canonical form (see canonical_json.hpp). Linear.
// Source: platform.openai.com/docs/api-reference/embeddings/create.
std::optional<EmbeddingRequest> read_embedding_request(std::string_view body);

// The body that `request` was read from with only the inputs `kept` (rising, at least one): the
// others are cut out with one comma each, all else stays byte for byte. A list stays a list.
std::string with_inputs(std::string_view body, const EmbeddingRequest& request,
                        std::span<const std::size_t> kept);

}  // namespace aifd::protocol
