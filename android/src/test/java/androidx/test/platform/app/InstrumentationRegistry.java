package androidx.test.platform.app;

import android.app.Instrumentation;
import android.os.Bundle;

/** The part of AndroidX Test that Robolectric loads: it comes from no registry that the build uses, and no test of ours asks it anything. */
public final class InstrumentationRegistry {
  private static Instrumentation instance;

  private InstrumentationRegistry() {}

  public static void registerInstance(Instrumentation given, Bundle arguments) {
    instance = given;
  }

  public static Instrumentation getInstrumentation() {
    return instance;
  }
}
