package io.topv.engine;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Who may know whom. */
final class ArchitectureTest {
  private static final String ENGINE = "io.topv.engine";
  private static final String RUNTIME = "io.topv.runtime";

  /**
   * What each package may use of topv besides itself and {@link TopvException}: names of packages
   * of the engine, or "runtime". Only the engine's root package may use all.
   */
  private static final Map<String, Set<String>> ALLOWED =
      Map.of(
          "config", Set.of("runtime"),
          "image", Set.of("config"),
          "tokenizer", Set.of(),
          "template", Set.of(),
          "weights", Set.of("config", "runtime"),
          "kv", Set.of("runtime"),
          "prune", Set.of("runtime"),
          "model", Set.of("config", "weights", "kv", "prune", "runtime"),
          "sample", Set.of(),
          "schedule", Set.of());

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages(ENGINE);

  @Test
  void everyPackageHasItsRule() {
    Set<String> packages =
        CLASSES.stream()
            .map(JavaClass::getPackageName)
            .filter(name -> !name.equals(ENGINE))
            .map(name -> name.substring(ENGINE.length() + 1))
            .collect(Collectors.toSet());
    assertThat(packages).containsExactlyInAnyOrderElementsOf(ALLOWED.keySet());
  }

  @TestFactory
  Stream<DynamicTest> packagesUseOnlyWhatTheyMay() {
    return ALLOWED.keySet().stream()
        .sorted()
        .map(
            name ->
                DynamicTest.dynamicTest(
                    name,
                    () ->
                        noClasses()
                            .that()
                            .resideInAPackage(ENGINE + "." + name)
                            .should()
                            .dependOnClassesThat(strangersTo(name))
                            .check(CLASSES)));
  }

  private static DescribedPredicate<JavaClass> strangersTo(String name) {
    String[] known =
        Stream.concat(Stream.of(name), ALLOWED.get(name).stream())
            .map(friend -> friend.equals("runtime") ? RUNTIME : ENGINE + "." + friend)
            .toArray(String[]::new);
    return resideInAPackage("io.topv..")
        .and(DescribedPredicate.not(resideInAnyPackage(known)))
        .and(DescribedPredicate.not(type(TopvException.class)))
        .as("are of topv, but none of " + Set.of(known));
  }

  @Test
  void packagesFormNoCycles() {
    slices().matching(ENGINE + ".(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void onlyTheRuntimeSeesJavaCpp() {
    noClasses()
        .should()
        .dependOnClassesThat(resideInAnyPackage("org.bytedeco..", RUNTIME + ".ffi.."))
        .check(CLASSES);
  }

  @Test
  void theProcessBelongsToTheCaller() {
    noClasses()
        .should()
        .callMethodWhere(
            describe(
                "ends the process or prints a stack trace",
                call ->
                    (call.getName().matches("exit|halt")
                            && call.getTargetOwner().getPackageName().equals("java.lang"))
                        || call.getName().equals("printStackTrace")))
        .check(CLASSES);
    noClasses()
        .should()
        .accessFieldWhere(
            describe(
                "is System.out or System.err",
                access ->
                    access.getTargetOwner().isEquivalentTo(System.class)
                        && access.getName().matches("out|err")))
        .check(CLASSES);
  }
}
