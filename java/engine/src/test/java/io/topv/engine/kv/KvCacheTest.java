package io.topv.engine.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.topv.runtime.Context;
import io.topv.runtime.ContextOptions;
import io.topv.runtime.DType;
import io.topv.runtime.NativeException;
import io.topv.runtime.Status;
import org.junit.jupiter.api.Test;

final class KvCacheTest {

  @Test
  void eachGroupHasItsOwnPages() {
    KvCache.Layout layout = new KvCache.Layout(5, 2, 3, 8, 16, 7, 4, DType.BF16);
    try (Context context = Context.open(ContextOptions.cpu(1));
        KvCache cache = new KvCache(context, layout)) {
      for (int layer = 0; layer < 5; layer++) {
        int pages = layer < 2 ? 7 : 4;
        assertThat(cache.keys(layer).rows()).isEqualTo(16L * pages);
        assertThat(cache.values(layer).cols()).isEqualTo(24);
      }
      assertThat(cache.lowerKeys()).containsExactly(cache.keys(0), cache.keys(1));
      assertThat(cache.lowerValues()).containsExactly(cache.values(0), cache.values(1));
      assertThat(layout.bytes()).isEqualTo(2L * 2 * 24 * 16 * (2 * 7 + 3 * 4));
      cache.newLowerTable().grow(33);
      assertThat(cache.freeLowerPages()).isEqualTo(4);
      assertThat(cache.freeUpperPages()).isEqualTo(4);
      cache.newUpperTable().grow(1);
      assertThat(cache.freeLowerPages()).isEqualTo(4);
      assertThat(cache.freeUpperPages()).isEqualTo(3);
    }
  }

  @Test
  void moreThanTheMachineHasIsRefused() {
    KvCache.Layout layout = new KvCache.Layout(3, 1, 64, 256, 1 << 26, 0, 1 << 10, DType.F32);
    try (Context context = Context.open(ContextOptions.cpu(1))) {
      assertThatThrownBy(() -> new KvCache(context, layout))
          .isInstanceOfSatisfying(
              NativeException.class, e -> assertThat(e.status()).isEqualTo(Status.OUT_OF_MEMORY));
    }
  }
}
