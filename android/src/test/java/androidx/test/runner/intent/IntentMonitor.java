package androidx.test.runner.intent;

/** See InstrumentationRegistry. */
public interface IntentMonitor {}
