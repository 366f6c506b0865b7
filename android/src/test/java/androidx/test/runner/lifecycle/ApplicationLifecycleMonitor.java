package androidx.test.runner.lifecycle;

/** See InstrumentationRegistry. */
public interface ApplicationLifecycleMonitor {}
