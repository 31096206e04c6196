#pragma once

#include <cstdint>
#include <string>

#include "orders.hpp"

namespace bench {

struct Options {
  enum class Hold { no, idle, streams };

  std::uint16_t port = 0;
  std::uint32_t connections = 64;
  double seconds = 1;
  double requests_per_second =
      0;                    // 0: closed loop, each connection asks again when it has its answer
  double ramp_seconds = 0;  // over which the connections begin, evenly
  double patience_seconds = 60;  // for what is under way at the end
  bool fresh = false;            // a new connection for each request
  bool same = false;             // all requests alike, so that a cache may answer them
  bool text_only = false;        // the proxy writes JSON anew: compare what the answers say
  Hold hold = Hold::no;          // keep connections or streams open until standard input ends
  std::string trusted_file;      // TLS with who is trusted by this; empty: without TLS
  std::string path = "/v1/chat/completions";
  std::string model = "gpt-4o";
  std::string fields = "Authorization: Bearer fk-bench\r\n";
  Orders orders;
};

Options options_from(int count, char** arguments);

}  // namespace bench
