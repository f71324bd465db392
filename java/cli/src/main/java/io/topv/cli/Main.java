package io.topv.cli;

import io.topv.cli.bench.BenchCommand;
import io.topv.engine.TopvException;
import io.topv.runtime.Context;
import io.topv.runtime.NativeException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;

/** The {@code topv} command. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C. */
@Command(
    name = "topv",
    description =
        "Asks vision-language models about images, with visual-token pruning inside the LLM.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    subcommands = {
      RunCommand.class,
      EvalCommand.class,
      ExplainCommand.class,
      InspectCommand.class,
      DoctorCommand.class,
      BenchCommand.class,
      CommandLine.HelpCommand.class
    },
    footer = {
      "",
      "Try:",
      "  topv run --image docs/examples/shapes.png --prompt \"How many circles are there?\"",
      "  topv run --image cat.jpg --prompt \"What is this?\" --model /models/llava-1.5-7b-hf --prune topv",
      "  topv doctor"
    })
public final class Main {
  static final int FAILED = 1;
  static final int USAGE = 2;

  private Main() {}

  /** Version of the native library: the two are built together. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"topv " + Context.version()};
    }
  }

  public static void main(String[] args) {
    System.exit(run(args));
  }

  static int run(String... args) {
    CommandLine command = new CommandLine(new Main());
    command.setCaseInsensitiveEnumValuesAllowed(true);
    command.setParameterExceptionHandler(Main::usage);
    command.setExecutionExceptionHandler(
        (failure, failed, parsed) -> failure(failure, Verbose.in(args)));
    if (args.length == 0) {
      command.usage(System.err);
      return USAGE;
    }
    return command.execute(args);
  }

  private static int usage(ParameterException problem, String[] args) {
    CommandLine command = problem.getCommandLine();
    String message = problem.getMessage().lines().findFirst().orElse("");
    System.err.println(
        "topv: " + message + " (see " + command.getCommandSpec().qualifiedName() + " --help)");
    return USAGE;
  }

  private static int failure(Exception failure, boolean verbose) {
    if (verbose) {
      failure.printStackTrace();
    }
    boolean expected = failure instanceof TopvException || failure instanceof NativeException;
    String message = expected ? failure.getMessage() : failure.toString();
    System.err.println("topv: " + (message == null ? failure.toString() : message));
    return FAILED;
  }
}
