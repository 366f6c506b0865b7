package kawal.sinyal.sigmon.duty;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import java.util.List;
import java.util.Random;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;

/** Days of duty drawn from a seed: networks, answers, processes, batteries and clocks fail as they like, and at its end all is there, once. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 33, manifest = Config.NONE)
public class RandomLivesTest {
  private static final int seeds = 30;
  private static final int steps = 30;
  private static final int minute_ms = 60_000;

  @Test public void whateverHappensNothingIsLostOrDoubled() throws Exception {
    int kills = 0;
    for (int seed = 1; seed <= seeds; seed++) kills += life(seed);
    assertTrue(kills + " processes died inside a turn", kills >= seeds);
  }

  /** @return how often the process died inside a turn */
  private static int life(int seed) throws Exception {
    Random chance = new Random(seed * 7919L);
    try (World world = new World(seed)) {
      world.start();
      int kills = 0;
      for (int step = 0; step < steps; step++) {
        happen(world, chance);
        if (!survives(world, (1 + chance.nextInt(20)) * minute_ms)) kills++;
      }
      mend(world);
      world.clock.diesIn = 0;
      assertTrue(survives(world, 60 * minute_ms));
      world.duty.stop();
      assertTrue(survives(world, 120 * minute_ms));
      JSONObject counts = world.duty.state().getJSONObject("counts");
      String told = "seed " + seed + " " + counts;
      assertEquals(told, 0, counts.getInt("waiting"));
      assertEquals(told, counts.getInt("made"), world.platform.kept.size());
      assertEquals(told, 0, world.platform.doubles);
      assertTrue(told, world.platform.kept.size() > 20);
      for (List<?> row : world.platform.kept.values()) assertTrue(told, (Long) row.get(0) >= 10_401 && (Long) row.get(0) <= 20_400);
      assertNull(told + ": the last is a goodbye", world.platform.kept.lastEntry().getValue().get(13));
      return kills;
    }
  }

  private static void happen(World world, Random chance) {
    switch (chance.nextInt(13)) {
      case 0: world.platform.status = 503; break;
      case 1: world.platform.status = 429; world.platform.retryAfter = String.valueOf(chance.nextInt(600)); break;
      case 2: world.platform.losesReceipts = true; break;
      case 3: world.platform.answersNonsense = true; break;
      case 4: world.platform.ping = "down"; break;
      case 5:
      case 6: world.clock.diesIn = 1 + chance.nextInt(150); break;
      case 7: world.kill(); break;
      case 8: world.battery(3 + chance.nextInt(90), chance.nextBoolean()); break;
      case 9: world.pass(chance.nextInt(12) * minute_ms); break;
      case 10: world.platform.readsCbor = !world.platform.readsCbor; break;
      case 11: world.clock.now += (chance.nextInt(121) - 60) * minute_ms; break;
      default: mend(world);
    }
  }

  private static void mend(World world) {
    world.platform.status = 202;
    world.platform.retryAfter = null;
    world.platform.losesReceipts = false;
    world.platform.answersNonsense = false;
    world.platform.ping = "own";
    world.battery(80, true);
  }

  /** @return false where the process died on the way; it is there again */
  private static boolean survives(World world, long ms) {
    try {
      world.live(ms);
      return true;
    } catch (World.Killed died) {
      world.kill();
      return false;
    }
  }
}
