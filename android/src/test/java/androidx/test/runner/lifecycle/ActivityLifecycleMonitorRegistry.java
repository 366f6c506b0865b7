package androidx.test.runner.lifecycle;

/** See InstrumentationRegistry. */
public final class ActivityLifecycleMonitorRegistry {
  private static ActivityLifecycleMonitor instance;

  private ActivityLifecycleMonitorRegistry() {}

  public static void registerInstance(ActivityLifecycleMonitor given) {
    instance = given;
  }

  public static ActivityLifecycleMonitor getInstance() {
    return instance;
  }
}
