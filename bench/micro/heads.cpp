#include <benchmark/benchmark.h>

#include <memory>

#include "aifd/protocol/framing.hpp"
#include "aifd/protocol/head_parser.hpp"
#include "aifd/protocol/head_writer.hpp"
#include "aifd/protocol/target.hpp"
#include "operation.hpp"
#include "samples.hpp"

namespace aifd::bench {
namespace {

using benchmark::DoNotOptimize;

std::function<void()> write_request_head() {
  return [head = protocol::parse_request_head(kRequestHead).value(), extra = protocol::Fields{},
          out = std::string()]() mutable {
    out.clear();
    protocol::append_request_head(out, {head.method, head.target, "api.openai.com"}, head.fields,
                                  {protocol::BodyKind::length, kRequestBody.size()}, "", extra);
    DoNotOptimize(out.data());
  };
}

std::function<void()> write_answer_head() {
  return
      [head = protocol::parse_response_head(kAnswerHead).value(), out = std::string()]() mutable {
        out.clear();
        protocol::append_response_head(out, head, {protocol::BodyKind::chunked, 0}, {});
        DoNotOptimize(out.data());
      };
}

}  // namespace

void add_head_operations(Operations& operations) {
  operations.push_back({"find the end of a request's head", [] {
                          return [] { DoNotOptimize(protocol::find_head_end(kRequestHead, 0)); };
                        }});
  operations.push_back({"parse a request's head", [] {
                          return [] { DoNotOptimize(protocol::parse_request_head(kRequestHead)); };
                        }});
  operations.push_back({"parse an answer's head", [] {
                          return [] { DoNotOptimize(protocol::parse_response_head(kAnswerHead)); };
                        }});
  operations.push_back({"frame a request", [] {
                          return [head = protocol::parse_request_head(kRequestHead).value()] {
                            DoNotOptimize(protocol::check_request(head));
                          };
                        }});
  operations.push_back({"frame an answer", [] {
                          return [head = protocol::parse_response_head(kAnswerHead).value()] {
                            DoNotOptimize(protocol::check_response(head, "POST"));
                          };
                        }});
  operations.push_back({"write a request's head", write_request_head});
  operations.push_back({"write an answer's head", write_answer_head});
  operations.push_back({"parse a target", [] {
                          return [] {
                            DoNotOptimize(protocol::parse_target("/localai/v1/chat/completions"));
                          };
                        }});
}

}  // namespace aifd::bench
