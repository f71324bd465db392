package io.topv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.engine.image.ImageFormat;
import io.topv.engine.image.ImageInfo;
import io.topv.engine.image.Images;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvalCommandTest {
  @TempDir Path dir;

  @Test
  void countsRightAnswersAndGoesOnFromItsFile() throws Exception {
    String journal = dir.resolve("j.jsonl").toString();
    String plot = dir.resolve("p.svg").toString();
    String[] args = {
      "eval",
      "--limit",
      "5",
      "--methods",
      "none,resize,topv",
      "--solvers",
      "one_sided",
      "--keep",
      "576,64",
      "--output",
      "csv",
      "--resume",
      journal,
      "--plot",
      plot,
      "--workers",
      "1"
    };
    Cli first = Cli.run(args);
    assertThat(first.code()).as(first.err()).isZero();
    assertThat(first.out().lines())
        .hasSize(4)
        .anyMatch(line -> line.startsWith("none,\"\",576,576,5,"))
        .anyMatch(line -> line.startsWith("topv,\"one_sided\",64,64,5,"))
        .anyMatch(line -> line.startsWith("resize,\"\",64,64,5,"));
    assertThat(Path.of(plot)).content().startsWith("<svg");
    long lines = Files.lines(Path.of(journal)).count();
    Cli again = Cli.run(args);
    assertThat(again.out()).isEqualTo(first.out());
    assertThat(again.err()).contains("0 answers to find, 15 known");
    assertThat(Files.lines(Path.of(journal)).count()).isEqualTo(lines);
  }

  /** As printed, the solver leaves float32 where epsilon is small. */
  @Test
  void aCellThatFailsIsReportedAndTheOthersGoOn() {
    Cli cli =
        Cli.run(
            "eval",
            "--limit",
            "3",
            "--methods",
            "none,topv",
            "--sweep",
            "solver=printed,one_sided;epsilon=0.001",
            "--keep",
            "576,265,64",
            "--workers",
            "1");
    assertThat(cli.code()).isEqualTo(1);
    assertThat(cli.out().lines())
        .anyMatch(line -> line.matches("\\| none +\\| \\*\\*.*"))
        .anyMatch(line -> line.matches("\\| topv solver=printed .*failed +\\| failed +\\| +\\|"))
        .anyMatch(line -> line.matches("\\| topv solver=one_sided .*\\[.*\\].*\\[.*\\].*"));
    assertThat(cli.err())
        .contains("topv solver=printed epsilon=0.001 at 64 failed: sinkhorn: the importance")
        .contains("epsilon = 0.001");
  }

  @Test
  void refusesWhatItDoesNotKnowInOneLine() {
    assertOneLine(Cli.run("eval", "--methods", "best"), "best");
    assertOneLine(Cli.run("eval", "--output", "xml"), "xml");
    assertOneLine(Cli.run("eval", "--questions", "/nowhere.jsonl"), "/nowhere.jsonl");
    assertOneLine(Cli.run("eval", "--sweep", "width=3"), "width");
    assertOneLine(Cli.run("eval", "--plot", "a.gif"), "a.gif");
    assertOneLine(Cli.run("eval", "--keep", "576", "--methods", "topv"), "576");
    assertOneLine(Cli.run("explain", "--image", "/nowhere.png"), "/nowhere.png");
  }

  private static void assertOneLine(Cli cli, String named) {
    assertThat(cli.code()).isEqualTo(1);
    assertThat(cli.err().lines()).hasSize(1);
    assertThat(cli.err()).startsWith("topv: ").contains(named);
  }

  @Test
  void explainWritesAPicture() {
    Path out = dir.resolve("e.png");
    Cli cli = Cli.run("explain", "--out", out.toString(), "--prune-keep", "300");
    assertThat(cli.code()).as(cli.err()).isZero();
    assertThat(cli.out()).contains("kept 300 of 576");
    ImageInfo info = Images.probe(out);
    assertThat(info.format()).isEqualTo(ImageFormat.PNG);
    assertThat(info.width()).isGreaterThan(3 * 480);
  }
}
