package io.topv.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.topv.runtime.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The mapped file of a model that has been converted or packed takes no memory. */
class WeightMemoryTest {
  private static final Path ROOT = Path.of(System.getProperty("topv.root"));
  private static final Path MODEL = ROOT.resolve("models/topv-demo");
  private static final Request QUESTION =
      Request.of("How many circles are there?", ROOT.resolve("docs/examples/shapes.png"));

  @Test
  void convertedWeightsLeaveTheFile() throws IOException {
    try (Engine engine = load(DType.F32)) {
      checkMemory(engine);
    }
  }

  @Test
  void packedWeightsLeaveTheFile() throws IOException {
    try (Engine engine = load(DType.BF16)) {
      assumeThat(engine.context().describe()).as("others read in place").contains("\"amx\"");
      checkMemory(engine);
    }
  }

  private static Engine load(DType dtype) {
    return Engine.load(MODEL, EngineOptions.defaults().withDtype(Optional.of(dtype)));
  }

  private static void checkMemory(Engine engine) throws IOException {
    long size = Files.size(MODEL.resolve("model.safetensors"));
    assertThat(residentBytes()).as("of %d, loaded", size).isLessThan(size / 8);
    assertThat(engine.generate(QUESTION).text().strip()).isEqualTo("3");
    assertThat(residentBytes()).as("of %d, used", size).isLessThan(size / 8);
  }

  /** What this process holds of the mapped weights: "Rss: N kB" of /proc/self/smaps. */
  private static long residentBytes() throws IOException {
    List<String> lines = Files.readAllLines(Path.of("/proc/self/smaps"));
    int mapping = 0;
    while (!lines.get(mapping).endsWith("topv-demo/model.safetensors")) {
      mapping++;
    }
    String resident =
        lines.subList(mapping, lines.size()).stream()
            .filter(line -> line.startsWith("Rss:"))
            .findFirst()
            .orElseThrow();
    return Long.parseLong(resident.replaceAll("\\D", "")) * 1024;
  }
}
