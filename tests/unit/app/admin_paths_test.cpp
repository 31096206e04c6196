#include "aifd/app/admin_paths.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

namespace aifd::app {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<std::string>;

TEST(AdminSocketPaths, BeginWithWhereTheDaemonListens) {
  std::map<std::string, std::string> environment;
  const auto paths = [&environment] { return admin_socket_paths("", environment, 1000, 8000); };
  EXPECT_EQ(paths(), (Paths{"/tmp/aifd-1000/aifd-8000.sock", "/run/aifd/aifd-8000.sock"}));
  environment["XDG_RUNTIME_DIR"] = "/run/user/1000";
  EXPECT_EQ(paths(), (Paths{"/run/user/1000/aifd-8000.sock", "/tmp/aifd-1000/aifd-8000.sock",
                            "/run/aifd/aifd-8000.sock"}));
  environment["RUNTIME_DIRECTORY"] = "/run/one:/run/two";
  EXPECT_EQ(paths().front(), "/run/one/aifd-8000.sock");
  EXPECT_EQ(paths().size(), 4U);
}

TEST(AdminSocketPaths, LeaveOutFoldersThatAreNoPlaces) {
  EXPECT_EQ(admin_socket_paths("", {{"XDG_RUNTIME_DIR", ""}, {"RUNTIME_DIRECTORY", "here"}}, 7, 1)
                .front(),
            "/tmp/aifd-7/aifd-1.sock");
}

TEST(AdminSocketPaths, AreTheSettingsAlone) {
  const std::map<std::string, std::string> environment{{"RUNTIME_DIRECTORY", "/run/one"}};
  EXPECT_EQ(admin_socket_paths("/run/x.sock", environment, 0, 8000), Paths{"/run/x.sock"});
  EXPECT_EQ(admin_socket_paths("off", environment, 0, 8000), Paths{});
}

class PrivateFolder : public testing::Test {
 protected:
  PrivateFolder() {
    std::string name = (fs::temp_directory_path() / "aifd-private-XXXXXX").string();
    around_ = mkdtemp(name.data());
  }
  ~PrivateFolder() override { fs::remove_all(around_); }

  fs::path folder() const { return around_ / "folder"; }

 private:
  fs::path around_;
};

TEST_F(PrivateFolder, IsMadeForItsOwnerAlone) {
  EXPECT_FALSE(is_private_folder(folder(), ::geteuid()));
  EXPECT_TRUE(make_private_folder(folder(), ::geteuid()));
  EXPECT_TRUE(is_private_folder(folder(), ::geteuid()));
  EXPECT_TRUE(make_private_folder(folder(), ::geteuid()));
  struct stat made {};
  ASSERT_EQ(::stat(folder().c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 0777U, 0700U);
}

TEST_F(PrivateFolder, IsRefusedWhereOthersHaveAPart) {
  fs::create_directory(folder());
  fs::permissions(folder(), fs::perms(0755));
  const Result<void> open = make_private_folder(folder(), ::geteuid());
  ASSERT_FALSE(open);
  EXPECT_NE(open.error().detail.find("is not a folder that is ours alone"), std::string::npos);
  fs::permissions(folder(), fs::perms(0700));
  EXPECT_TRUE(make_private_folder(folder(), ::geteuid()));
  EXPECT_FALSE(is_private_folder(folder(), ::geteuid() + 1));
  const fs::path link = folder().string() + "-link";
  fs::create_directory_symlink(folder(), link);
  EXPECT_FALSE(make_private_folder(link, ::geteuid()));
}

TEST_F(PrivateFolder, SaysWhyItCannotBeMade) {
  const Result<void> made = make_private_folder(folder() / "deeper", ::geteuid());
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().detail.find("No such file"), std::string::npos);
}

}  // namespace
}  // namespace aifd::app
