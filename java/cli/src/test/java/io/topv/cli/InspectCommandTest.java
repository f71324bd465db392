package io.topv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {
  @Test
  void showsTheModel() {
    Cli run = Cli.run("inspect", "--model", Cli.ROOT.resolve("models/topv-demo").toString());
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out())
        .contains("LLaVA-1.5", "576 visual tokens (24 x 24)", "KV cache", "parameters");
  }

  @Test
  void writesThePixelsThatTheModelSees(@TempDir Path dir) throws Exception {
    Path out = dir.resolve("pixels.npy");
    Cli run = Cli.run("inspect", "--image", Cli.example("shapes.png"), "--pixels", out.toString());
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("PNG", "[3, 336, 336]");
    assertThat(Files.size(out)).isBetween(4L * 3 * 336 * 336 + 64, 4L * 3 * 336 * 336 + 256);
  }

  @Test
  void wantsSomethingToInspect() {
    assertThat(Cli.run("inspect").code()).isEqualTo(Main.USAGE);
    assertThat(Cli.run("inspect", "--pixels", "x.npy").code()).isEqualTo(Main.USAGE);
  }

  @Test
  void doctorNamesCpuAndGpu() {
    Cli run = Cli.run("doctor");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("cpu", "isa", "oneDNN", "gpu", "model", "missing");
  }
}
