package io.topv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class InterruptTest {
  @Test
  void ctrlCEndsTheAnswerCleanly() throws Exception {
    Process process =
        new ProcessBuilder(
                List.of(
                    ProcessHandle.current().info().command().orElseThrow(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    "-Dtopv.home=" + Cli.ROOT,
                    "-Dorg.bytedeco.javacpp.cachedir="
                        + System.getProperty("org.bytedeco.javacpp.cachedir"),
                    "io.topv.cli.Main",
                    "run",
                    "--image",
                    Cli.example("shapes.png"),
                    "--prompt",
                    "How many circles are there?",
                    "--ignore-eos",
                    "-n",
                    "1400"))
            .redirectErrorStream(true)
            .start();
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      assertThat(out.read()).isNotNegative(); // the answer has begun
      // not SIGINT, which a job in the background may inherit as ignored; the JVM treats both alike
      new ProcessBuilder("kill", "-TERM", Long.toString(process.pid())).start().waitFor();
      String rest = String.join("\n", out.lines().toList());
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(rest).contains("(cancelled)").doesNotContain("Exception");
      assertThat(process.exitValue()).isEqualTo(143);
    }
  }
}
