package kawal.sinyal.sigmon;

import static org.junit.Assert.assertEquals;

import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.shadows.ShadowSystemClock;

@RunWith(RobolectricTestRunner.class)
@Config(sdk = {24, 37}, manifest = Config.NONE)
public class ClockTest {
  @Test public void elapsedFollowsThePhonesOwnClock() {
    long before = Clock.SYSTEM.elapsed();
    ShadowSystemClock.advanceBy(java.time.Duration.ofMinutes(5));
    assertEquals(300_000, Clock.SYSTEM.elapsed() - before);
  }
}
