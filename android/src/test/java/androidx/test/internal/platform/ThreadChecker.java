package androidx.test.internal.platform;

/** See InstrumentationRegistry. */
public interface ThreadChecker {}
