internal import CPaxos

extension Configuration {
    /// The same configuration as the core wants it, every rule checked.
    func checked(journalStart: UInt64 = 0) throws(ConfigurationError) -> paxos_config_t {
        var config = paxos_config_t()
        paxos_config_default(&config)
        try setIdentity(&config)
        try setSizes(&config)
        let timeout = electionTimeout.components
        guard timeout.seconds >= 0, timeout.seconds < 1 << 32, timeout.attoseconds >= 0 else {
            throw ConfigurationError(rule: "electionTimeout is 1 µs to 136 years")
        }
        config.election_timeout_ns =
            UInt64(timeout.seconds) * 1_000_000_000 + UInt64(timeout.attoseconds / 1_000_000_000)
        config.seed = seed
        config.manual_elections = manualElections ? 1 : 0
        config.journal_lsn = journalStart

        var rule: UnsafePointer<CChar>?
        if paxos_config_check(&config, &rule) != PAXOS_OK {
            throw ConfigurationError(rule: Self.words(rule.map { String(cString: $0) } ?? ""))
        }
        return config
    }

    static func blockBytes(_ config: inout paxos_config_t) -> Int {
        paxos_replica_block_bytes(&config)
    }

    private func setIdentity(_ config: inout paxos_config_t) throws(ConfigurationError) {
        config.cluster = cluster
        config.group = group
        config.incarnation = incarnation
        config.node = node
        guard 1...Int(PAXOS_MEMBERS_MAX) ~= members.count else {
            throw ConfigurationError(rule: "members are 1 to 31")
        }
        config.member_count = UInt16(members.count)
        let ascending = members.sorted()
        withUnsafeMutableBytes(of: &config.members) { bytes in
            let places = bytes.bindMemory(to: NodeID.self)
            for (index, member) in ascending.enumerated() { places[index] = member }
        }
        config.q1 = try Self.fit(q1 ?? 0, "q1")
        config.q2 = try Self.fit(q2 ?? 0, "q2")
        config.memory_only = durability == .memoryOnly ? 1 : 0
    }

    private func setSizes(_ config: inout paxos_config_t) throws(ConfigurationError) {
        config.window_slots = try Self.fit(window, "window")
        config.pipeline_slots = try Self.fit(pipeline, "pipeline")
        config.value_bytes_max = try Self.fit(valueBytes, "valueBytes")
        config.frame_bytes_max = try Self.fit(frameBytes, "frameBytes")
        config.inflight_bytes_max = try Self.fit(inflightBytes ?? 0, "inflightBytes")
        config.arena_bytes = try Self.fit(arenaBytes, "arenaBytes")
        config.reply_ring = try Self.fit(replyRing, "replyRing")
        config.write_ring = try Self.fit(writeRing, "writeRing")
        config.send_ring = try Self.fit(sendRing, "sendRing")
        config.forward_ring = try Self.fit(forwardRing, "forwardRing")
    }

    private static func fit<Field: FixedWidthInteger>(
        _ value: Int, _ name: String
    ) throws(ConfigurationError) -> Field {
        guard let field = Field(exactly: value) else {
            throw ConfigurationError(rule: "\(name) is 0 to \(Field.max)")
        }
        return field
    }

    /// The core's words for a rule, with the names that properties have here.
    private static func words(_ rule: String) -> String {
        let names = [
            "member_count": "members.count", "window_slots": "window",
            "pipeline_slots": "pipeline", "value_bytes_max": "valueBytes",
            "frame_bytes_max": "frameBytes", "inflight_bytes_max": "inflightBytes",
            "arena_bytes": "arenaBytes", "reply_ring": "replyRing", "write_ring": "writeRing",
            "send_ring": "sendRing", "forward_ring": "forwardRing",
            "election_timeout_ns": "electionTimeout in ns", "memory_only": "durability",
            "manual_elections": "manualElections", "journal_lsn": "journalStart",
        ]
        return rule.split(separator: " ").map { word in
            let bare = word.last == "," ? word.dropLast() : word
            guard let name = names[String(bare)] else { return String(word) }
            return name + word.dropFirst(bare.count)
        }.joined(separator: " ")
    }
}
