package io.topv.cli.eval;

import io.topv.engine.TopvException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What is measured.
 *
 * @param weights SHA-256 of the model's weights
 * @param questions SHA-256 of the file of questions and of the images that it names
 */
public record Subject(Path modelDir, String weights, String questions) {
  public static Subject of(Path modelDir, Path file, List<Question> questions) {
    Stream<Path> images = questions.stream().map(Question::image).distinct();
    try (Stream<Path> files = Files.list(modelDir)) {
      List<Path> weights =
          files.filter(one -> one.toString().endsWith(".safetensors")).sorted().toList();
      return new Subject(
          modelDir, sha256(weights), sha256(Stream.concat(Stream.of(file), images).toList()));
    } catch (NoSuchFileException e) {
      throw new TopvException(e.getFile() + ": no such file", e);
    } catch (IOException e) {
      throw new TopvException(modelDir + " or " + file + ": " + e.getMessage(), e);
    }
  }

  private static String sha256(List<Path> files) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Path file : files) {
        try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
          in.transferTo(OutputStream.nullOutputStream());
        }
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Tells subjects apart, in short. */
  public String key() {
    return "weights %.16s, questions %.16s".formatted(weights, questions);
  }

  public Map<String, Object> describe() {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("model", modelDir.toString());
    out.put("weights_sha256", weights);
    out.put("questions_sha256", questions);
    return out;
  }
}
