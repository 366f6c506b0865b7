package androidx.test.platform.ui;

/** See InstrumentationRegistry. */
public interface UiController {}
