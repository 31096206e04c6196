#include "aifd/protocol/framing.hpp"

#include <array>
#include <optional>

#include "authority.hpp"
#include "chars.hpp"

namespace aifd::protocol {
namespace {

// Looking up what Connection names costs one walk over its list per field, so the list is short.
constexpr std::size_t kMaxConnectionOptions = 64;

// Whose message is being judged; decides the kind, the source and the words of an error.
enum class Sender { client, upstream };

struct Fault {
  ErrorKind kind;         // where the client sent it
  std::string_view what;  // "has two Host fields"
  std::string_view todo;  // "send exactly one"
};

Error error_of(const Fault& fault, Sender sender) {
  if (sender == Sender::upstream) {
    return Error{ErrorKind::upstream_malformed, ErrorSource::upstream, false,
                 "The upstream's answer " + std::string(fault.what) + "."};
  }
  return Error{fault.kind, ErrorSource::client, false,
               "The request " + std::string(fault.what) + "; " + std::string(fault.todo) + "."};
}

constexpr Fault bad(std::string_view what, std::string_view todo) {
  return {ErrorKind::bad_request, what, todo};
}

// The fields that decide about framing and the connection, gathered in one walk.
struct Gathered {
  const Field* host = nullptr;
  const Field* content_length = nullptr;
  const Field* transfer_encoding = nullptr;
  bool host_repeated = false;
  bool content_length_repeated = false;
  bool transfer_encoding_repeated = false;
  bool has_upgrade = false;
  bool expects_continue = false;
  bool expects_other = false;
  bool says_close = false;
  bool says_keep_alive = false;
  bool says_upgrade = false;
  bool connection_malformed = false;  // an element that is no token
  std::size_t connection_options = 0;
};

void gather_once(const Field& field, const Field*& first, bool& is_repeated) {
  if (first != nullptr) is_repeated = true;
  first = &field;
}

void gather_connection(std::string_view list, Gathered& g) {
  ++g.connection_options;
  for (const char c : list) g.connection_options += c == ',' ? 1 : 0;
  if (g.connection_options > kMaxConnectionOptions) return;
  for_each_token(list, [&](std::string_view token) {
    if (!kTokenChars.has_all(token)) g.connection_malformed = true;
    if (iequals(token, "close")) g.says_close = true;
    if (iequals(token, "keep-alive")) g.says_keep_alive = true;
    if (iequals(token, "upgrade")) g.says_upgrade = true;
  });
}

Gathered gather(const Fields& fields) {
  Gathered g;
  for (const Field& f : fields) {
    switch (f.name.id()) {
      case name_id("Host"):
        gather_once(f, g.host, g.host_repeated);
        break;
      case name_id("Expect"):
        (iequals(f.value, "100-continue") ? g.expects_continue : g.expects_other) = true;
        break;
      case name_id("Upgrade"):
        g.has_upgrade = true;
        break;
      case name_id("Connection"):
        gather_connection(f.value, g);
        break;
      case name_id("Content-Length"):
        gather_once(f, g.content_length, g.content_length_repeated);
        break;
      case name_id("Transfer-Encoding"):
        gather_once(f, g.transfer_encoding, g.transfer_encoding_repeated);
        break;
      default:
        break;
    }
  }
  return g;
}

// RFC 9112, 9.3.
bool keeps_alive(const Gathered& g, unsigned version_minor) {
  return !g.says_close && (version_minor >= 1 || g.says_keep_alive);
}

// 1*DIGIT up to 2^63-1, which has 19 digits.
std::optional<std::uint64_t> parse_length(std::string_view text) {
  if (text.empty() || text.size() > 19) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return value;
}

// A list of coding names where "chunked" stands nowhere but at the end: valid, but not served.
bool is_valid_coding_list(std::string_view list) {
  bool valid = true;
  bool ended = false;
  for_each_token(list, [&](std::string_view coding) {
    valid = valid && !ended && kTokenChars.has_all(coding);
    ended = iequals(coding, "chunked");
  });
  return valid && list.find_first_not_of(" \t,") != std::string_view::npos;
}

std::optional<Fault> check_coding(const Gathered& g, unsigned version_minor) {
  if (g.transfer_encoding_repeated) {
    return bad("has two Transfer-Encoding fields", "send at most one");
  }
  const std::string_view value = g.transfer_encoding->value;
  if (!iequals(value, "chunked")) {
    return Fault{is_valid_coding_list(value) ? ErrorKind::not_implemented : ErrorKind::bad_request,
                 "has a Transfer-Encoding other than \"chunked\"",
                 "send \"chunked\" alone, or a Content-Length"};
  }
  if (g.content_length != nullptr) {
    return bad("has both Transfer-Encoding and Content-Length", "send one of them");
  }
  if (version_minor == 0) {
    return bad("has a Transfer-Encoding in HTTP/1.0", "use HTTP/1.1 or a Content-Length");
  }
  return std::nullopt;
}

// What the framing fields say, before the method and the status have their word.
std::optional<Fault> read_body(const Gathered& g, unsigned version_minor, BodyFraming& body) {
  if (g.connection_options > kMaxConnectionOptions) {
    return bad("lists more than 64 options in Connection", "list fewer");
  }
  if (g.connection_malformed) {
    return bad("has a Connection field that is no list of tokens",
               "write it as in \"Connection: keep-alive\"");
  }
  if (g.content_length_repeated) return bad("has two Content-Length fields", "send exactly one");
  if (g.content_length != nullptr) {
    const auto length = parse_length(g.content_length->value);
    if (!length) {
      return bad("has a Content-Length that is not one plain number of bytes",
                 "send digits only, at most 9223372036854775807");
    }
    body = {BodyKind::length, *length};
  }
  if (g.transfer_encoding == nullptr) return std::nullopt;
  body = {BodyKind::chunked, 0};
  return check_coding(g, version_minor);
}

constexpr std::array<std::string_view, 9> kMethods{"GET",    "HEAD",    "POST",  "PUT",    "PATCH",
                                                   "DELETE", "OPTIONS", "TRACE", "CONNECT"};

std::optional<Fault> check_method(std::string_view method) {
  if (method.empty() || !kTokenChars.has_all(method)) {
    return bad("has a method that is no HTTP token", "use one such as GET or POST");
  }
  for (const std::string_view known : kMethods) {
    if (method == known) break;
    if (iequals(method, known)) {
      return bad("has its method in lower case", "write it in capitals, as in POST");
    }
  }
  if (method == "CONNECT") {
    return Fault{ErrorKind::not_implemented, "asks for a tunnel with CONNECT",
                 "set aifd's address as the base URL, not as a proxy"};
  }
  // The upstream's answer would show the API key that stands in for the caller's.
  if (method == "TRACE") {
    return Fault{ErrorKind::not_implemented, "uses TRACE, which is not served",
                 "use another method"};
  }
  return std::nullopt;
}

std::optional<Fault> check_host(const Gathered& g, unsigned version_minor) {
  if (g.host_repeated) return bad("has two Host fields", "send exactly one");
  if (g.host == nullptr) {
    if (version_minor == 0) return std::nullopt;
    return bad("has no Host field", "send exactly one, as in \"Host: localhost:8000\"");
  }
  if (!parse_authority(g.host->value)) {
    return bad("has a Host field that is no host name", "write it as in \"Host: localhost:8000\"");
  }
  return std::nullopt;
}

std::string_view without_default(std::string_view port, std::string_view default_port) {
  return port == default_port ? std::string_view{} : port;
}

// RFC 9112, 3.2.2. Whoever names another authority here than in Host is confused, or wants us to
// be.
std::optional<Fault> check_absolute(std::string_view target, const Gathered& g) {
  const bool https = istarts_with(target, "https://");
  std::string_view text = target.substr(https ? 8 : 7);
  text = text.substr(0, text.find_first_of("/?#"));
  const auto authority = parse_authority(text);
  if (!authority) {
    return bad("has a target whose host is not valid", "send the path alone, beginning with \"/\"");
  }
  if (g.host == nullptr) return std::nullopt;
  const auto host = parse_authority(g.host->value);
  const std::string_view port = https ? "443" : "80";
  if (!host || !iequals(host->host, authority->host) ||
      without_default(host->port, port) != without_default(authority->port, port)) {
    return Fault{ErrorKind::misdirected, "names another host in its target than in Host",
                 "send the path alone, beginning with \"/\""};
  }
  return std::nullopt;
}

std::optional<Fault> check_target(const RequestHead& head, const Gathered& g) {
  if (head.target.starts_with('/')) return std::nullopt;
  if (head.target == "*" && head.method == "OPTIONS") return std::nullopt;
  if (istarts_with(head.target, "http://") || istarts_with(head.target, "https://")) {
    return check_absolute(head.target, g);
  }
  return bad("has a target that is no path", "begin it with \"/\"");
}

std::optional<Fault> check_all(const RequestHead& head, const Gathered& g, BodyFraming& body) {
  if (auto fault = check_method(head.method)) return fault;
  if (auto fault = check_host(g, head.version_minor)) return fault;
  if (auto fault = check_target(head, g)) return fault;
  if (g.expects_other) {
    return bad("has an Expect other than \"100-continue\"", "leave the field out");
  }
  return read_body(g, head.version_minor, body);
}

}  // namespace

Result<RequestFraming> check_request(const RequestHead& head) {
  const Gathered g = gather(head.fields);
  RequestFraming framing;
  if (const auto fault = check_all(head, g, framing.body)) return error_of(*fault, Sender::client);
  const bool is_http_1_1 = head.version_minor >= 1;
  framing.keep_alive = keeps_alive(g, head.version_minor);
  framing.expects_continue = is_http_1_1 && g.expects_continue;
  framing.wants_upgrade = is_http_1_1 && g.has_upgrade && g.says_upgrade;
  return framing;
}

Result<ResponseFraming> check_response(const ResponseHead& head, std::string_view request_method) {
  if (head.status < 200 || head.status > 599) {
    return error_of(bad("has a status that is no final one", ""), Sender::upstream);
  }
  const Gathered g = gather(head.fields);
  ResponseFraming framing;
  framing.body.kind = BodyKind::until_close;
  if (const auto fault = read_body(g, head.version_minor, framing.body)) {
    return error_of(*fault, Sender::upstream);
  }
  framing.keep_alive =
      keeps_alive(g, head.version_minor) && framing.body.kind != BodyKind::until_close;
  if (request_method == "HEAD" || head.status == 304 || head.status == 204) {
    // RFC 9110, 8.6: no length stands in a 204. Bytes that follow one all the same must not be
    // taken for the next answer.
    const bool may_have_body =
        head.status == 204 && (framing.body.kind == BodyKind::chunked || framing.body.length > 0);
    framing.keep_alive = keeps_alive(g, head.version_minor) && !may_have_body;
    framing.body = {};
  }
  return framing;
}

}  // namespace aifd::protocol
