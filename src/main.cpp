// The command line of aifd, and nothing else.
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <string>

#include "aifd/app/cache_command.hpp"
#include "aifd/app/commands.hpp"
#include "aifd/app/config_flags.hpp"
#include "aifd/app/convert_command.hpp"
#include "aifd/app/version.hpp"

// Read by jemalloc at the start, where that is linked (AIFD_JEMALLOC): a thread of its own gives
// what is not used again within a second back to the system.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf =
    "background_thread:true,max_background_threads:1,dirty_decay_ms:1000,muzzy_decay_ms:0";
}

namespace {

using aifd::app::add_config_flags;
using aifd::app::CacheCommand;
using aifd::app::ExitCode;
using aifd::config::Sources;

void add_cache(CLI::App& app, Sources& sources, CacheCommand& command, ExitCode& code) {
  CLI::App* cache = app.add_subcommand(
      "cache", "The answer cache: of a running aifd, or else of its store itself");
  cache->require_subcommand(1);
  const auto add = [&](const char* name, CacheCommand::What what, const char* help) {
    CLI::App* sub = cache->add_subcommand(name, help);
    add_config_flags(*sub, sources);
    sub->callback([&, what] {
      command.what = what;
      code = aifd::app::cache(sources, command);
    });
    return sub;
  };
  add("stat", CacheCommand::What::stat, "Tell what is in it")
      ->add_flag("--json", command.json, "As one line of JSON");
  add("clear", CacheCommand::What::clear, "Forget all answers");
  CLI::App* get = add("get", CacheCommand::What::get, "Print one answer");
  get->add_option("KEY", command.key, "Its key: cache_key in the access log")->required();
  get->add_flag("--body", command.body_only, "Without its head");
}

ExitCode dispatch(int argc, char** argv) {
  CLI::App app{
      "aifd forwards requests to LLM APIs: several upstreams on one port, keys, limits, "
      "cache, logs."};
  app.name("aifd");
  app.set_version_flag("--version", "aifd " + std::string(aifd::app::kVersion));
  app.require_subcommand(1);
  app.footer(
      "Settings come from openai-forward-config.yaml, .env, the environment and flags; later "
      "ones win.\n`aifd gen-config` writes a .env that explains them all.");
  ExitCode code = ExitCode::kOk;
  Sources sources;
  sources.environment = aifd::app::process_environment();

  CLI::App* run = app.add_subcommand("run", "Serve until SIGTERM or SIGINT");
  bool demo = false;
  add_config_flags(*run, sources);
  run->add_flag("--demo", demo, "Forward to a built-in model: needs no account anywhere");
  run->callback([&] { code = aifd::app::run(sources, demo); });

  CLI::App* check =
      app.add_subcommand("check", "Check the configuration and print what is in effect");
  add_config_flags(*check, sources);
  check->callback([&] { code = aifd::app::check(sources); });

  CLI::App* gen = app.add_subcommand("gen-config", "Write a commented .env to start from");
  gen->alias("gen_config");
  std::string directory = ".";
  bool force = false;
  gen->add_option("DIR", directory, "Where to write it (the working directory)");
  gen->add_flag("--force", force, "Replace a .env that is there");
  gen->callback([&] { code = aifd::app::gen_config(directory, force); });

  CLI::App* health = app.add_subcommand("health", "Ask a running aifd whether it is well");
  std::string url;
  add_config_flags(*health, sources);
  health->add_option("--url", url, "Its URL (from the configuration: http://127.0.0.1:8000)");
  health->callback([&] { code = aifd::app::health(sources, url); });

  CLI::App* convert = app.add_subcommand("convert", "Make JSON of the conversation log");
  aifd::convert::Command conversion;
  aifd::app::add_convert_flags(*convert, sources, conversion);
  convert->callback([&] { code = aifd::app::convert(sources, conversion); });

  CacheCommand command;
  add_cache(app, sources, command, code);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitCode::kOk : ExitCode::kUsage;
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const std::exception& fault) {
    std::cerr << "aifd: internal fault: " << fault.what() << '\n';
    return ExitCode::kInternal;
  }
}
