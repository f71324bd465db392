package io.topv.engine.weights;

import io.topv.engine.TopvException;
import java.util.Set;

/** Where the tensors of a model come from. Their memory is valid until it is closed. */
public interface WeightSource extends AutoCloseable {

  /** What errors call it. */
  String name();

  /** The tensors' names, as far as they tell the naming scheme ({@link WeightNames}). */
  Set<String> names();

  /**
   * The tensor of that name, of exactly that shape, of a type that weights may have.
   *
   * @throws TopvException when it is missing or differs
   */
  WeightTensor require(String tensor, long... shape);

  /**
   * Gives back the memory that tensors take which have been read. They stay readable: what is read
   * again comes from its file again.
   */
  void release();

  @Override
  void close();
}
