#include "target_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "logs.hpp"
#include "progress_bar.hpp"

namespace aifd::convert {
namespace {

namespace fs = std::filesystem;

class TargetFileTest : public InFolder {
 protected:
  fs::path target() const { return folder() / "t.json"; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder()), {}));
  }
};

TEST_F(TargetFileTest, IsThereInTheEnd) {
  write("t.json", "old");
  {
    TargetFile file(target());
    file.write("new ");
    file.write(std::string(1'000'000, 'x'));
    EXPECT_EQ(read("t.json"), "old");
    file.finish();
    EXPECT_EQ(file.failure(), "");
  }
  EXPECT_EQ(read("t.json"), "new " + std::string(1'000'000, 'x'));
  EXPECT_EQ(files(), 1U);
  struct stat made {};
  ASSERT_EQ(::stat(target().c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 0777U, 0600U);
}

TEST_F(TargetFileTest, LeavesWhatIsThereWithoutAnEnd) {
  write("t.json", "old");
  TargetFile(target()).write("new");
  EXPECT_EQ(read("t.json"), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(TargetFileTest, TakesTheRestOfAnotherForItsOwn) {
  write("t.json.new", "a rest that is longer");
  TargetFile file(target());
  file.write("new");
  file.finish();
  EXPECT_EQ(read("t.json"), "new");
  EXPECT_EQ(files(), 1U);
}

TEST_F(TargetFileTest, IsWrittenByOneAtATime) {
  TargetFile first(target());
  EXPECT_NE(TargetFile(target()).failure().find("another aifd"), std::string::npos);
  first.write("new");
  first.finish();
  EXPECT_EQ(first.failure(), "");
  EXPECT_EQ(read("t.json"), "new");
}

TEST_F(TargetFileTest, FollowsALink) {
  write("real/t.json", "old");
  fs::create_symlink(folder() / "real/t.json", target());
  TargetFile file(target());
  file.write("new");
  file.finish();
  EXPECT_TRUE(fs::is_symlink(target()));
  EXPECT_EQ(read("real/t.json"), "new");
}

TEST_F(TargetFileTest, DoesNotReplaceWhatIsNoFile) {
  fs::create_directory(target());
  EXPECT_NE(TargetFile(target()).failure(), "");
  EXPECT_NE(TargetFile("/dev/null").failure(), "");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_NE(TargetFile(folder() / "nowhere/t.json").failure().find("No such file"),
            std::string::npos);
}

TEST(ProgressText, TellsHowFarItIs) {
  using std::chrono::milliseconds;
  EXPECT_EQ(progress_text(0, 100, milliseconds(5)), "[--------------------]   0%");
  EXPECT_EQ(progress_text(250'000'000, 1'000'000'000, milliseconds(2000)),
            "[#####---------------]  25%  125 MB/s  0:06 left");
  EXPECT_EQ(progress_text(1'000'000, 7'630'000'000, milliseconds(10)),
            "[--------------------]   0%  100 MB/s  1:16 left");
  EXPECT_EQ(progress_text(150, 100, milliseconds(1000)),
            "[####################] 100%  0 MB/s  0:00 left");
  EXPECT_EQ(progress_text(0, 0, milliseconds(0)), "[####################] 100%");
}

}  // namespace
}  // namespace aifd::convert
