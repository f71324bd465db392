package io.topv.engine.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.topv.engine.schedule.Scheduler.Batch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SchedulerTest {
  @Test
  void promptsComeFirstThenEveryRunningSequenceGoesOn() {
    Scheduler<String> scheduler = new Scheduler<>(2, s -> true);
    List.of("a", "b", "c").forEach(scheduler::add);
    assertThat(scheduler.next()).isEqualTo(new Batch<>(true, List.of("a")));
    assertThat(scheduler.next()).isEqualTo(new Batch<>(true, List.of("b")));
    assertThat(scheduler.next()).isEqualTo(new Batch<>(false, List.of("a", "b")));
    scheduler.remove("a");
    assertThat(scheduler.next()).isEqualTo(new Batch<>(true, List.of("c")));
    scheduler.remove("b");
    scheduler.remove("c");
    assertThat(scheduler.isIdle()).isTrue();
  }

  @Test
  void waitsWhereThereIsNoRoom() {
    List<String> room = new ArrayList<>(List.of("a"));
    Scheduler<String> scheduler = new Scheduler<>(8, room::contains);
    scheduler.add("a");
    scheduler.add("b");
    assertThat(scheduler.next().prefill()).isTrue();
    assertThat(scheduler.next()).isEqualTo(new Batch<>(false, List.of("a")));
    room.add("b");
    assertThat(scheduler.next()).isEqualTo(new Batch<>(true, List.of("b")));
  }

  @Test
  void everySequenceGetsAllItsSteps() {
    Random random = new Random(5);
    for (int round = 0; round < 100; round++) {
      Scheduler<Integer> scheduler = new Scheduler<>(1 + random.nextInt(4), s -> true);
      Map<Integer, Integer> wanted = new HashMap<>();
      Map<Integer, Integer> got = new HashMap<>();
      for (int s = 0; s < 10; s++) {
        wanted.put(s, 1 + random.nextInt(5));
        scheduler.add(s);
      }
      while (!scheduler.isIdle()) {
        Batch<Integer> batch = scheduler.next();
        assertThat(batch.sequences()).isNotEmpty().doesNotHaveDuplicates();
        for (int s : batch.sequences()) {
          assertThat(batch.prefill()).isEqualTo(!got.containsKey(s));
          if (got.merge(s, 1, Integer::sum).equals(wanted.get(s))) {
            scheduler.remove(s);
          }
        }
      }
      assertThat(got).isEqualTo(wanted);
    }
  }
}
