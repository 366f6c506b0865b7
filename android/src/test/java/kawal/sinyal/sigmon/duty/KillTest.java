package kawal.sinyal.sigmon.duty;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import org.json.JSONObject;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

/** The process dies at each look that a turn takes at the clock, one after the other; then the alarms alone wake it. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 33, manifest = Config.NONE)
public class KillTest {
  private static final int minute_ms = 60_000;
  private World world;

  @Before public void open() throws Exception {
    world = new World(5);
  }

  @After public void close() {
    world.close();
  }

  @Test public void atEachStepOfATurn() throws Exception {
    world.start();
    world.live(10 * minute_ms);
    int died = 0;
    for (int step = 1; step == died + 1; step++) {
      world.pass(world.duty.wake_ms());
      if (dies(step, false)) died++;
      world.live(15 * minute_ms);
      allThere();
    }
    assertTrue("steps: " + died, died > 10);
  }

  @Test public void atEachStepOfTheEnd() throws Exception {
    int died = 0;
    for (int step = 1; step == died + 1; step++) {
      if (!world.duty.isOn()) world.duty.start(new Order(world.order()));
      world.live(10 * minute_ms);
      if (dies(step, true)) died++;
      if (world.duty.isOn()) world.duty.stop();
      world.live(15 * minute_ms);
      allThere();
      assertFalse(world.duty.isOn());
      assertNull("a goodbye after step " + step, world.platform.kept.lastEntry().getValue().get(13));
      assertEquals("nothing wakes it", -1, world.duty.wake_ms());
    }
    assertTrue("steps: " + died, died >= 3);
  }

  /** @return whether the process died before the turn was over; killed is it after it too */
  private boolean dies(int step, boolean isEnd) {
    world.clock.diesIn = step;
    try {
      if (isEnd) world.duty.stop();
      world.duty.turn(false);
      return false;
    } catch (World.Killed died) {
      return true;
    } finally {
      world.clock.diesIn = 0;
      world.kill();
    }
  }

  private void allThere() throws Exception {
    JSONObject counts = world.duty.state().getJSONObject("counts");
    assertEquals(counts.toString(), 0, counts.getInt("waiting"));
    assertEquals(0, world.platform.doubles);
    long numbers = world.duty.standing().next - 10_401;
    assertEquals("each number is at the platform", numbers, world.platform.kept.size());
  }
}
