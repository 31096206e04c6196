#include "aifd/app/admin_paths.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace aifd::app {
namespace {

constexpr mode_t kMode = 0700;

std::string variable(const std::map<std::string, std::string>& environment,
                     const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

}  // namespace

std::vector<std::string> admin_socket_paths(const std::string& setting,
                                            const std::map<std::string, std::string>& environment,
                                            uid_t user, std::uint16_t port) {
  if (setting == "off") return {};
  if (!setting.empty()) return {setting};
  const std::string name = "aifd-" + std::to_string(port) + ".sock";
  std::vector<std::string> paths;
  const auto add = [&](const std::filesystem::path& folder) {
    if (folder.is_absolute()) paths.push_back((folder / name).string());
  };
  const std::string service_folders = variable(environment, "RUNTIME_DIRECTORY");
  add(service_folders.substr(0, service_folders.find(':')));
  add(variable(environment, "XDG_RUNTIME_DIR"));
  add(folder_in_tmp(user));
  add("/run/aifd");
  return paths;
}

bool is_private_folder(const std::filesystem::path& folder, uid_t user) {
  struct stat found {};
  return ::lstat(folder.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == user &&
         (found.st_mode & 077U) == 0;
}

Result<void> make_private_folder(const std::filesystem::path& folder, uid_t user) {
  const bool made = ::mkdir(folder.c_str(), kMode) == 0;
  const int error = errno;
  if (is_private_folder(folder, user)) return {};
  const bool is_there = made || error == EEXIST;
  return Error{
      ErrorKind::internal, ErrorSource::aifd, false,
      folder.string() + ": " +
          (is_there ? "is not a folder that is ours alone (mode 0700)" : std::strerror(error))};
}

std::filesystem::path folder_in_tmp(uid_t user) {
  return "/tmp/aifd-" + std::to_string(user);
}

}  // namespace aifd::app
