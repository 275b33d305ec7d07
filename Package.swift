// swift-tools-version: 6.3
import PackageDescription

// The trait `Embedded` builds PaxosCore in Embedded Swift: one self-contained static library for C.
let embedded: [SwiftSetting] = [
    .enableExperimentalFeature("Embedded", .when(traits: ["Embedded"])),
    .treatWarning("EmbeddedRestrictions", as: .error),
]

let package = Package(
    name: "swift-paxos",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Paxos", targets: ["Paxos"]),
        .library(name: "cpaxos", type: .static, targets: ["PaxosCore"]),
        .executable(name: "bench", targets: ["bench"]),
        .executable(name: "paxos-sim", targets: ["paxos-sim"]),
        .executable(name: "paxos-node", targets: ["paxos-node"]),
        .executable(name: "paxos-journal", targets: ["paxos-journal"]),
    ],
    traits: [
        .trait(
            name: "Embedded", description: "Build PaxosCore for C hosts, without a Swift runtime")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .target(name: "CPaxos", path: "CSources/CPaxos"),
        .systemLibrary(
            name: "CLibBSD", path: "CSources/CLibBSD", pkgConfig: "libbsd",
            providers: [.apt(["libbsd-dev"])]),
        .target(
            name: "CPaxosHost", dependencies: ["CPaxos", "CLibBSD"], path: "CSources/CPaxosHost",
            exclude: ["JOURNAL.md"]),
        .systemLibrary(
            name: "CSodium", path: "CSources/CSodium", pkgConfig: "libsodium",
            providers: [.apt(["libsodium-dev"])]),
        .target(
            name: "CPaxosTransport", dependencies: ["CPaxos", "CPaxosHost", "CLibBSD", "CSodium"],
            path: "CSources/CPaxosTransport", exclude: ["TRANSPORT.md"]),
        // Wants paxos_replica_* of whoever links it: of PaxosCore, or of the library cpaxos.
        .target(
            name: "CPaxosRuntime", dependencies: ["CPaxos", "CPaxosHost", "CPaxosTransport"],
            path: "CSources/CPaxosRuntime"),
        .target(name: "PaxosCore", dependencies: ["CPaxos"], swiftSettings: embedded),
        .target(
            name: "Paxos",
            dependencies: [
                "PaxosCore", "CPaxos", "CPaxosHost", "CPaxosTransport", "CPaxosRuntime",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: [.enableExperimentalFeature("Lifetimes")]),
        .target(name: "CBenchLimits", dependencies: ["CPaxos"], path: "Benchmarks/CBenchLimits"),
        // Wants paxos_replica_* of whoever links it, as CPaxosRuntime does.
        .target(name: "CBenchCommit", dependencies: ["CPaxos"], path: "Benchmarks/CBenchCommit"),
        .target(
            name: "CBenchNode", dependencies: ["CPaxosRuntime", "CPaxosHost", "CPaxos"],
            path: "Benchmarks/CBenchNode"),
        .executableTarget(
            name: "bench",
            dependencies: [
                "Paxos", "PaxosCore", "CPaxos", "CPaxosHost", "CBenchLimits", "CBenchCommit",
                "CBenchNode",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            path: "Benchmarks/bench"),
        .target(name: "PaxosSimulator", dependencies: ["PaxosCore", "CPaxos"]),
        .executableTarget(
            name: "paxos-sim",
            dependencies: [
                "PaxosSimulator", "CPaxos",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "paxos-journal",
            dependencies: [
                "CPaxosHost", "CPaxos",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "paxos-node",
            dependencies: [
                "Paxos",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(name: "CPaxosTests", dependencies: ["PaxosSimulator", "CPaxos"]),
        .testTarget(
            name: "PaxosCoreTests", dependencies: ["PaxosSimulator", "PaxosCore", "CPaxos"]),
        .testTarget(
            name: "ScenarioTests", dependencies: ["PaxosSimulator", "PaxosCore", "CPaxos"]),
        .testTarget(name: "CheckerTests", dependencies: ["PaxosSimulator", "CPaxos"]),
        .testTarget(name: "SimulatorTests", dependencies: ["PaxosSimulator", "CPaxos"]),
        .testTarget(name: "LinearizabilityTests", dependencies: ["PaxosSimulator", "CPaxos"]),
        .target(
            name: "CJournalModel", dependencies: ["CPaxosHost", "CPaxos"],
            path: "Tests/CJournalModel"),
        .testTarget(
            name: "JournalTests",
            dependencies: ["CJournalModel", "CPaxosHost", "CPaxos", "paxos-journal"]),
        .target(
            name: "CTransportModel",
            dependencies: [
                "CPaxosTransport", "CPaxosHost", "CPaxos", "CSodium", "CAllocationCount",
            ],
            path: "Tests/CTransportModel"),
        .testTarget(
            name: "TransportTests", dependencies: ["CTransportModel", "CPaxosTransport", "CPaxos"]),
        .target(
            name: "CRuntimeModel",
            dependencies: ["CPaxosRuntime", "CPaxosHost", "CPaxos", "CAllocationCount"],
            path: "Tests/CRuntimeModel"),
        .testTarget(name: "RuntimeTests", dependencies: ["CRuntimeModel", "PaxosCore"]),
        .target(name: "CAllocationCount", path: "Tests/CAllocationCount"),
        .testTarget(
            name: "PaxosTests",
            dependencies: [
                "Paxos", "CAllocationCount", .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(name: "PaxosNodeTests", dependencies: ["paxos-node"]),
        .testTarget(name: "BenchTests", dependencies: ["bench"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11
)

// Warnings are errors in every target of ours. SwiftPM drops these settings where this package is
// only a dependency, so a newer compiler's warnings stop nobody else's build.
for target in package.targets where target.type != .system {
    target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error)]
    target.cSettings = [
        .enableWarning("all"), .enableWarning("extra"), .treatAllWarnings(as: .error),
    ]
}
