package androidx.test.internal.platform.app;

/** See InstrumentationRegistry. */
public interface ActivityInvoker {}
