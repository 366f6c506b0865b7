package kawal.sinyal.sigmon;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.FieldVisitor;
import org.objectweb.asm.Handle;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/** What a compiled class refers to. Names are the class file's: with slashes. */
final class Compiled {
  String name;
  final Set<String> types = new LinkedHashSet<>();
  /** `owner method(descriptor)result`. */
  final Set<String> methods = new LinkedHashSet<>();
  /** `owner field#descriptor`. */
  final Set<String> fields = new LinkedHashSet<>();
  final Set<String> texts = new LinkedHashSet<>();
  boolean hasInvokeDynamic;

  /** Every class that goes into the package, of all parts. */
  static List<Compiled> shell() throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(Paths.get("build/classes"))) {
      files = all.filter(file -> file.toString().endsWith(".class")).sorted().collect(Collectors.toList());
    }
    List<Compiled> classes = new ArrayList<>();
    for (Path file : files) classes.add(of(Files.readAllBytes(file)));
    return classes;
  }

  static Compiled of(Class<?> planted) throws IOException {
    try (InputStream bytes = planted.getResourceAsStream("/" + planted.getName().replace('.', '/') + ".class")) {
      return of(bytes.readAllBytes());
    }
  }

  private static Compiled of(byte[] bytes) {
    Compiled read = new Compiled();
    new ClassReader(bytes).accept(read.visitor(), ClassReader.SKIP_DEBUG);
    return read;
  }

  private void type(Type type) {
    Type of = type.getSort() == Type.ARRAY ? type.getElementType() : type;
    if (of.getSort() == Type.OBJECT) types.add(of.getInternalName());
    if (of.getSort() != Type.METHOD) return;
    type(of.getReturnType());
    for (Type each : of.getArgumentTypes()) type(each);
  }

  private ClassVisitor visitor() {
    return new ClassVisitor(Opcodes.ASM9) {
      @Override public void visit(int version, int access, String own, String signature, String parent, String[] interfaces) {
        name = own;
        types.add(parent);
        for (String each : interfaces) types.add(each);
      }

      @Override public FieldVisitor visitField(int access, String field, String descriptor, String signature, Object value) {
        type(Type.getType(descriptor));
        if (value instanceof String) texts.add((String) value);
        return null;
      }

      @Override public MethodVisitor visitMethod(int access, String method, String descriptor, String signature, String[] exceptions) {
        type(Type.getMethodType(descriptor));
        return body();
      }
    };
  }

  private MethodVisitor body() {
    return new MethodVisitor(Opcodes.ASM9) {
      @Override public void visitTypeInsn(int opcode, String type) {
        type(Type.getObjectType(type));
      }

      @Override public void visitFieldInsn(int opcode, String owner, String field, String descriptor) {
        fields.add(owner + ' ' + field + '#' + descriptor);
      }

      @Override public void visitMethodInsn(int opcode, String owner, String method, String descriptor, boolean isInterface) {
        if (!owner.startsWith("[")) methods.add(owner + ' ' + method + descriptor);
      }

      @Override public void visitTryCatchBlock(org.objectweb.asm.Label start, org.objectweb.asm.Label end, org.objectweb.asm.Label handler, String type) {
        if (type != null) types.add(type);
      }

      @Override public void visitInvokeDynamicInsn(String call, String descriptor, Handle bootstrap, Object... given) {
        hasInvokeDynamic = true;
      }

      @Override public void visitLdcInsn(Object value) {
        if (value instanceof String) texts.add((String) value);
        if (value instanceof Type) type((Type) value);
      }
    };
  }
}
