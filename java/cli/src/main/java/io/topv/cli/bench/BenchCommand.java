package io.topv.cli.bench;

import picocli.CommandLine.Command;

/** {@code topv bench}: what {@code scripts/bench} runs. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = "Measurements: kernel by itself, e2e driven by scripts/bench.",
    subcommands = {EndToEndCommand.class, KernelCommand.class})
public final class BenchCommand {}
