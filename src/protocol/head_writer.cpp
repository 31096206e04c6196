#include "aifd/protocol/head_writer.hpp"

#include <charconv>
#include <cstring>

#include "chars.hpp"

namespace aifd::protocol {
namespace {

// Fields of one hop by their own name.
bool is_hop_by_hop(const FieldName& name) noexcept {
  static constexpr NameSet kNames{"TE",         "Upgrade",        "Trailer",          "Connection",
                                  "Keep-Alive", "Content-Length", "Transfer-Encoding"};
  return kNames.has(name.id()) || istarts_with(name, "proxy-");
}

// What is not for the upstream though it is end-to-end.
bool is_kept_from_upstream(const FieldName& name) noexcept {
  static constexpr NameSet kNames{"Host", "Cookie", "Expect", "Forwarded", "X-Real-IP"};
  return kNames.has(name.id()) || istarts_with(name, "x-forwarded-");
}

// Appends to a string whose room is made once, so that a piece costs one copy and no check.
class Appender {
 public:
  Appender(std::string& out, std::size_t at_most) : out_(out) {
    const std::size_t size = out.size();
    out.resize(size + at_most);
    at_ = out.data() + size;
  }
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;
  ~Appender() { out_.resize(static_cast<std::size_t>(at_ - out_.data())); }

  void text(std::string_view piece) noexcept {
    if (!piece.empty()) std::memcpy(at_, piece.data(), piece.size());
    at_ += piece.size();
  }

  void number(std::uint64_t value) noexcept { at_ = std::to_chars(at_, at_ + 20, value).ptr; }

  void field(std::string_view name, std::string_view value) noexcept {
    text(name);
    text(": ");
    text(value);
    text("\r\n");
  }

  // Those for which is_sent(field) is true. Lines that stand one behind the other where they were
  // read are copied together.
  template <class IsSent>
  void fields(const Fields& fields, IsSent is_sent) {
    std::string_view lines;
    for (const Field& f : fields) {
      if (!is_sent(f)) continue;
      if (!f.line.empty() && f.line.data() == lines.data() + lines.size()) {
        lines = {lines.data(), lines.size() + f.line.size()};
        continue;
      }
      text(lines);
      lines = f.line;
      if (lines.empty()) field(f.name, f.value);
    }
    text(lines);
  }

  void content_length(std::uint64_t length) noexcept {
    text("Content-Length: ");
    number(length);
    text("\r\n");
  }

  void upgrade(std::string_view protocol) noexcept {
    text("Connection: Upgrade\r\n");
    field("Upgrade", protocol);
  }

 private:
  std::string& out_;
  char* at_ = nullptr;
};

// More than what a head takes besides its fields and the pieces the caller gives.
constexpr std::size_t kFixedBytes = 192;

std::size_t size_of(const Fields& fields) noexcept {
  std::size_t size = 0;
  for (const Field& f : fields) size += f.name.size() + f.value.size() + 4;
  return size;
}

void append_framing(Appender& out, const BodyFraming& body) noexcept {
  if (body.kind == BodyKind::length) out.content_length(body.length);
  if (body.kind == BodyKind::chunked) out.text("Transfer-Encoding: chunked\r\n");
}

}  // namespace

HopByHop::HopByHop(const Fields& fields) : fields_(fields) {
  if (!fields.contains("Connection")) return;
  for (const Field& f : fields) {
    if (f.name != "Connection") continue;
    for_each_token(f.value, [&](std::string_view token) {
      if (!iequals(token, "close") && !is_hop_by_hop(token)) has_connection_names_ = true;
    });
  }
}

bool HopByHop::contains(const FieldName& name) const noexcept {
  return is_hop_by_hop(name) ||
         (has_connection_names_ && has_token(fields_, "Connection", name.text()));
}

void append_request_head(std::string& out, const RequestLine& line, const Fields& fields,
                         const BodyFraming& body, std::string_view upgrade, const Fields& extra) {
  const HopByHop hop_by_hop(fields);
  Appender head(out, kFixedBytes + line.method.size() + line.target.size() + line.authority.size() +
                         upgrade.size() + size_of(fields) + size_of(extra));
  head.text(line.method);
  head.text(" ");
  head.text(line.target);
  head.text(" HTTP/1.1\r\n");
  head.field("Host", line.authority);
  head.fields(fields, [&hop_by_hop](const Field& f) {
    return !hop_by_hop.contains(f.name) && !is_kept_from_upstream(f.name);
  });
  for (const Field& f : extra) head.field(f.name, f.value);
  append_framing(head, body);
  if (!upgrade.empty()) head.upgrade(upgrade);
  head.text("\r\n");
}

void append_response_head(std::string& out, const ResponseHead& head, const BodyFraming& body,
                          const ResponseOptions& options) {
  const HopByHop hop_by_hop(head.fields);
  const bool is_1_0 = options.client_version_minor == 0;
  // A client of HTTP/1.0 knows no chunks: such a body ends with the connection.
  const bool until_close =
      body.kind == BodyKind::until_close || (is_1_0 && body.kind == BodyKind::chunked);
  Appender to(out,
              kFixedBytes + head.reason.size() + options.upgrade.size() + size_of(head.fields));
  to.text("HTTP/1.1 ");
  to.number(static_cast<std::uint64_t>(head.status));
  to.text(" ");
  to.text(head.reason);
  to.text("\r\n");
  to.fields(head.fields, [&hop_by_hop](const Field& f) { return !hop_by_hop.contains(f.name); });
  if (body.kind == BodyKind::none) {
    const bool may_stand = head.status >= 200 && head.status != 204;  // RFC 9110, 8.6
    const Field* const length = may_stand ? head.fields.find("Content-Length") : nullptr;
    if (length != nullptr) to.field("Content-Length", length->value);
  } else if (!until_close) {
    append_framing(to, body);
  }
  if (!options.upgrade.empty()) {
    to.upgrade(options.upgrade);
  } else if (options.close || until_close) {
    to.text("Connection: close\r\n");
  } else if (options.keep_alive && is_1_0) {
    to.text("Connection: keep-alive\r\n");
  }
  to.text("\r\n");
}

}  // namespace aifd::protocol
