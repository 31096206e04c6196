"""Configurations of the proxies, as str.format templates."""
from .setups import Setup

# Set as a proxy for streams must be: nothing is held back, connections to the upstream are kept. A
# request's body of 128 KiB fits into memory, so that none touches the disk.
NGINX = """
worker_processes {workers}; worker_rlimit_nofile {files}; daemon off; pid {folder}/pid; error_log {folder}/error.txt;
user root;
{modules}
events {{ worker_connections {connections}; }}
http {{
  access_log {folder}/access.log; keepalive_requests 1000000000; keepalive_timeout 600s;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/temp; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  client_max_body_size 0; client_body_buffer_size 128k;
  upstream mock {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000000; }}
  {http}
  server {{
    listen 127.0.0.1:{port} backlog=4096{listen};
    location / {{
      {server}
      proxy_pass {scheme}://mock; proxy_http_version 1.1; proxy_set_header Connection "";
      {buffers} proxy_read_timeout 600s;
    }}
  }}
}}
"""
NGINX_STREAMING = "proxy_buffering off; proxy_request_buffering off;"

# Its key is what aifd's is made of. What is kept must be buffered.
NGINX_CACHE_HTTP = """
  proxy_cache_path @FOLDER@/cache levels=1:2 keys_zone=answers:10m max_size=100m inactive=1d;
  sendfile on; open_file_cache max=1000;
"""
NGINX_CACHE = """
      proxy_cache answers; proxy_cache_methods POST; proxy_cache_valid 200 1h;
      proxy_cache_key "$request_uri|$http_authorization|$request_body";
"""

NGINX_CLIENT_TLS_HTTP = """
  ssl_certificate @CERTIFICATE@; ssl_certificate_key @KEY@; ssl_protocols TLSv1.2 TLSv1.3;
"""
# nginx does not compare addresses with a certificate, only names.
NGINX_UPSTREAM_TLS = """
      proxy_ssl_verify on; proxy_ssl_trusted_certificate @CERTIFICATE@; proxy_ssl_name localhost;
      proxy_ssl_session_reuse on; proxy_ssl_protocols TLSv1.2 TLSv1.3;
"""


def nginx_parts(setup: Setup) -> tuple[str, str, str]:
    """What stands in its blocks http, listen and location for this setup."""
    http = (NGINX_CACHE_HTTP if setup.cache else "") + (NGINX_CLIENT_TLS_HTTP if setup.client_tls else "")
    listen = (" ssl" if setup.client_tls else "") + (" reuseport" if setup.workers > 1 else "")
    location = (NGINX_CACHE if setup.cache else NGINX_STREAMING) + (NGINX_UPSTREAM_TLS if setup.upstream_tls else "")
    return http, listen, location


# The work of aifd with everything on, as one writes it in Lua: addresses, key, request limit, model
# by level, exchange of the key; question and answer as one line of JSON in a file.
NGINX_LUA_HTTP = """
  lua_shared_dict limits 10m;
  init_worker_by_lua_block {
    json = require "cjson.safe"
    networks = {{0x7f000000, 0xff000000}, {0x0a000000, 0xff000000}}
    levels = {["fk-bench"] = 1, ["fk-other"] = 0}
    models = {[1] = {"^gpt%-4o", "^gpt%-5"}}
    chat_log = io.open("@FOLDER@/chat.log", "a")
    chat_log:setvbuf("full", 65536)
    ngx.timer.every(0.1, function() chat_log:flush() end)

    function refuse(status, message)
      ngx.status = status
      ngx.header.content_type = "application/json"
      ngx.say(json.encode({error = {message = message}}))
      return ngx.exit(status)
    end

    function address_allowed()
      local a, b, c, d = ngx.var.remote_addr:match("(%d+)%.(%d+)%.(%d+)%.(%d+)")
      local address = bit.bor(bit.lshift(a, 24), bit.lshift(b, 16), bit.lshift(c, 8), d)
      for _, network in ipairs(networks) do
        if bit.band(address, network[2]) == bit.band(network[1], network[2]) then return true end
      end
      return false
    end

    function model_allowed(level, model)
      if level == 0 then return true end
      for _, pattern in ipairs(models[level]) do
        if model and model:find(pattern) then return true end
      end
      return false
    end

    function body_of_request()
      ngx.req.read_body()
      local body = ngx.req.get_body_data()
      if body then return body end
      local file = io.open(ngx.req.get_body_file(), "rb")
      body = file:read("*a")
      file:close()
      return body
    end

    function text_of(answer)
      local whole = json.decode(answer)
      if whole then return whole.choices and whole.choices[1].message.content end
      local parts = {}
      for data in answer:gmatch("data: ([^\\n]*)") do
        local event = json.decode(data)
        local content = event and event.choices[1] and event.choices[1].delta.content
        if content then parts[#parts + 1] = content end
      end
      return table.concat(parts)
    end
  }
"""
NGINX_LUA_SERVER = """
      access_by_lua_block {
        if not address_allowed() then return refuse(403, "address") end
        local key = (ngx.var.http_authorization or ""):match("^Bearer (.+)$")
        local level = key and levels[key]
        if not level then return refuse(401, "key") end
        local window = key .. ":" .. math.floor(ngx.now() / 60)
        if ngx.shared.limits:incr(window, 1, 0, 120) > 1000000000 then return refuse(429, "limit") end
        local question = json.decode(body_of_request())
        if not question or not model_allowed(level, question.model) then return refuse(403, "model") end
        ngx.req.set_header("Authorization", "Bearer sk-bench")
        ngx.ctx.question, ngx.ctx.pieces = question, {}
      }
      body_filter_by_lua_block {
        local pieces = ngx.ctx.pieces
        if pieces and ngx.arg[1] ~= "" then pieces[#pieces + 1] = ngx.arg[1] end
      }
      log_by_lua_block {
        local question = ngx.ctx.question
        if not question then return end
        chat_log:write(json.encode({messages = question.messages, model = question.model, ip = ngx.var.remote_addr,
          status = ngx.status, time = ngx.localtime(), duration = ngx.var.request_time,
          assistant = text_of(table.concat(ngx.ctx.pieces))}), "\\n")
      }
"""

HAPROXY = """
global
  nbthread 1
  maxconn {connections}
  log stdout format raw daemon
defaults
  mode http
  log global
  option httplog
  option http-no-delay
  option abortonclose
  http-reuse always
  timeout connect 10s
  timeout client 600s
  timeout server 600s
frontend front
  bind 127.0.0.1:{port} backlog 4096{bind}
  default_backend back
backend back
  server mock 127.0.0.1:{upstream}{server}
"""
HAPROXY_CLIENT_TLS = " ssl crt {both} ssl-min-ver TLSv1.2"
HAPROXY_UPSTREAM_TLS = " ssl verify required ca-file {certificate} verifyhost localhost"
