package androidx.test.runner.lifecycle;

/** See InstrumentationRegistry. */
public enum ApplicationStage {
  PRE_ON_CREATE, CREATED
}
