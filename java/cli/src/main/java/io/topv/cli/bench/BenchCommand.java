package io.topv.cli.bench;

import picocli.CommandLine.Command;

/** {@code topv bench}: what {@code scripts/bench} runs. */
@Command(
    name = "bench",
    hidden = true,
    mixinStandardHelpOptions = true,
    description = "Workers that scripts/bench drives and compares.",
    subcommands = EndToEndCommand.class)
public final class BenchCommand {}
