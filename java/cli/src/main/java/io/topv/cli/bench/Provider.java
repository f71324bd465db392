package io.topv.cli.bench;

/** Something that runs routines: a backend of ours, or PyTorch. */
interface Provider extends AutoCloseable {
  String name();

  /** The device and its libraries, for the head of a report. */
  String describe();

  /** Whether it has the routine at all. */
  default boolean offers(KernelCase of) {
    return true;
  }

  KernelResult measure(KernelCase of);

  @Override
  void close();

  /** One that is not here. */
  static Provider missing(String name, String why) {
    return new Provider() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public String describe() {
        return why;
      }

      @Override
      public KernelResult measure(KernelCase of) {
        return KernelResult.problem(of, name, why);
      }

      @Override
      public void close() {}
    };
  }
}
