package androidx.test.runner.intent;

/** See InstrumentationRegistry. */
public final class IntentMonitorRegistry {
  private IntentMonitorRegistry() {}

  public static void registerInstance(IntentMonitor given) {}
}
