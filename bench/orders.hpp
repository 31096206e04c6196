#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

// What a request orders of the mock model server. It stands in the prompt, as
//   bench id=00000042 bytes=600 events=0 gap_us=0 echo=0 pad=0:
// and not in header fields, since some gateways forward only those they know.
struct Orders {
  std::uint32_t id = 0;       // comes back in the answer, which thus belongs to this request alone
  std::uint32_t bytes = 600;  // of a JSON answer, as near as its fixed parts allow
  std::uint32_t events = 0;   // of a streamed answer; 0: JSON
  std::uint32_t gap_us = 0;   // between two events; 0: at once, but each in its own write
  std::uint32_t echo = 0;     // 1: the answer's text is the head of the request, as it arrived here
  std::uint32_t pad = 0;      // bytes of text that follow the orders, and must arrive whole
};

constexpr std::size_t kIdDigits = 8;
constexpr std::size_t kIndexDigits = 5;
constexpr std::size_t kTimeDigits = 20;
constexpr std::size_t kTokenBytes = 1 + kIdDigits + 1 + kIndexDigits + 1 + kTimeDigits;

// Numbered words: text of which no two places are alike.
std::string_view text(std::size_t size);

// Decimal digits of a number, with zeros in front, over `size` bytes at `to`.
void put_digits(char* to, std::size_t size, std::uint64_t number);
// nullopt where a byte is no digit.
std::optional<std::uint64_t> digits(std::string_view text);

// The whole body of a chat request; the id stands at id_place().
std::string request_body(const Orders& orders, std::string_view model);
std::size_t id_place(std::string_view request_body);

// nullopt where there are none, or the text behind them is not as sent.
std::optional<Orders> orders_in(std::string_view request_body);

// The text and the whole of a JSON answer.
std::string answer_text(const Orders& orders);
std::string answer_with(std::uint32_t id, std::string_view text);

// An event whose token is " ID.INDEX@TIME", all digits, TIME being that of now_ns() when it was
// sent.
struct EventTemplate {
  explicit EventTemplate(std::uint32_t id);
  void fill(std::uint32_t index, std::uint64_t time);

  std::string bytes;
  std::size_t index_place;
  std::size_t time_place;
};

// What follows the last event.
std::string stream_end(std::uint32_t id);

}  // namespace bench
